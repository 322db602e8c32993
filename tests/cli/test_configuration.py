"""Where the program finds its target and directory, and which source wins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Runner

USERS = {"0001_users.up.sql": "CREATE TABLE users (id int);\n"}


def toml(dsn: str, table: str = "targets.shop", more: str = "") -> str:
    return f"[{table}]\ndsn = '''{dsn}'''\n{more}"


@pytest.fixture(autouse=True)
def directory(write: Callable[..., Path]) -> Path:
    return write(USERS)


@pytest.mark.parametrize(
    ("file", "table"),
    [
        ("confiture.toml", "targets.shop"),
        ("pyproject.toml", "tool.confiture-flows.targets.shop"),
    ],
)
def test_only_target_of_the_configuration_is_the_default(
    run: Runner,
    configure: Callable[..., Path],
    dsn: str,
    tables: Callable[[], list[str]],
    file: str,
    table: str,
) -> None:
    configure(toml(dsn, table), file)

    value = run("migrate", "--plain", "--json").json()

    assert (value["ok"], value["target"]) == (True, "shop")
    assert tables() == ["users"]


def test_configuration_of_a_folder_above_is_found(
    run: Runner, configure: Callable[..., Path], dsn: str, tmp_path: Path
) -> None:
    configure(toml(dsn))
    (tmp_path / "src" / "deep").mkdir(parents=True)

    value = run("plan", "--json", cwd=tmp_path / "src" / "deep").json()

    assert [step["version"] for step in value["result"]["steps"]] == ["0001"]


def test_target_is_chosen_by_name(run: Runner, configure: Callable[..., Path], dsn: str) -> None:
    configure(toml("dbname=nowhere", "targets.prod") + toml(dsn, "targets.staging"))

    value = run.program("status", "--target", "staging").json()

    assert (value["ok"], value["target"]) == (True, "staging")


def test_dsn_option_wins_over_the_environment(run: Runner, dsn: str) -> None:
    assert run.program("status", "--dsn", dsn, CONFITURE_DSN="host=/nowhere").code == 0
    assert run.program("status", CONFITURE_DSN="host=/nowhere").code == 3


def test_environment_wins_over_the_only_target(
    run: Runner, configure: Callable[..., Path], dsn: str
) -> None:
    configure(toml("host=/nowhere"))

    assert run.program("status", CONFITURE_DSN=dsn).code == 0
    assert run.program("status", "--target", "shop", CONFITURE_DSN=dsn).code == 3


def test_variable_in_the_configuration_is_replaced(
    run: Runner, configure: Callable[..., Path], dsn: str
) -> None:
    configure(toml("${SHOP_DSN}"))

    assert run.program("status", SHOP_DSN=dsn).code == 0


def test_as_written_of_the_configuration_is_obeyed(
    run: Runner,
    configure: Callable[..., Path],
    write: Callable[..., Path],
    dsn: str,
    tables: Callable[[], list[str]],
) -> None:
    write({"0002_orders.up.sql": "CREATE TABLE orders ();\nCOMMIT;\nCREATE TABLE items ();\n"})
    configure(toml(dsn))
    assert run.program("migrate", "--plain").code == 4

    configure('[migrations]\ntransaction = "as-written"\n' + toml(dsn))
    assert run.program("migrate", "--plain").code == 0
    assert tables() == ["items", "orders", "users"]


def test_layout_option_wins_over_the_configuration(
    run: Runner, configure: Callable[..., Path], dsn: str
) -> None:
    configure('[migrations]\nlayout = "prisma"\n' + toml(dsn))

    assert run.program("plan").code == 2
    assert run.program("plan", "--layout", "pairs").code == 0


def test_ledger_of_the_configuration_is_used(
    run: Runner,
    configure: Callable[..., Path],
    dsn: str,
    tables: Callable[[], list[str]],
) -> None:
    configure(toml(dsn, more='ledger = "public.history"\n'))

    assert run.program("migrate", "--plain").code == 0
    assert tables() == ["history", "history_files", "users"]


def test_gate_of_the_target_is_the_severity_that_stops(
    run: Runner,
    configure: Callable[..., Path],
    write: Callable[..., Path],
    dsn: str,
) -> None:
    write({"notes.sql": "-- no migration"})
    configure(toml(dsn))
    lenient = run("migrate", "--plain")

    configure(toml(dsn, more='fail_on = "warning"\n'))
    strict = run("migrate", "--plain")

    assert (lenient.code, strict.code) == (0, 4)
    assert "notes.sql is not named" in lenient.err
    assert "notes.sql is not named" in strict.said


def test_unknown_target_is_told_without_a_prefect_server(
    run: Runner, configure: Callable[..., Path]
) -> None:
    """A name may be a block's; here nobody can be asked."""
    configure(toml("dbname=nowhere"))

    result = run("status", "--target", "stage", PREFECT_API_URL="http://127.0.0.1:9/api")

    assert result.code == 2
    assert "could not be asked for a PostgresTarget block 'stage'" in result.err
    assert "PREFECT_API_URL" in result.err
    assert "Traceback" not in result.said


@pytest.mark.parametrize("option", ["--dsn", "--target", "--to", "--layout"])
def test_empty_option_does_not_fall_back_to_the_only_target(
    option: str, run: Runner, configure: Callable[..., Path], dsn: str
) -> None:
    configure(toml(dsn))

    result = run.program("migrate", "--plain", option, "")

    assert result.code == 2
    assert "empty" in result.json()["error"]["message"]


def test_empty_variable_does_not_fall_back_to_the_only_target(
    run: Runner, configure: Callable[..., Path], dsn: str
) -> None:
    configure(toml(dsn))

    assert run("status", "--json", CONFITURE_DSN="").json()["ok"] is False


def test_unknown_target_starts_no_prefect_server_to_ask(run: Runner, tmp_path: Path) -> None:
    """Where nobody has ever kept a block, there is nothing to ask; it took eleven seconds."""
    result = run("status", "--target", "nowhere")

    assert result.code == 2
    unknown = "neither in the configuration (none) nor as a PostgresTarget block."
    assert result.err.splitlines() == [
        f"Error: There is no target 'nowhere': {unknown}",
        "Add [targets.nowhere] to confiture.toml, or save a PostgresTarget block of that name.",
    ]
    assert not (tmp_path / ".prefect" / "prefect.db").exists()
