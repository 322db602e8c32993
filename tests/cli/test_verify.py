"""`verify`, and the check after an apply as the configuration says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from confiture_flows.postgres import Server

from .conftest import PASSWORD, Runner

SHOP = {
    "0001_users.up.sql": "CREATE TABLE users (id int PRIMARY KEY, n int DEFAULT 1);",
    "0001_users.verify.sql": "SELECT count(*) = 0 FROM users;",
    "0002_orders.up.sql": "CREATE TABLE orders (id int);",
    "0003_later.up.sql": "CREATE TABLE later (id int);",
}


@pytest.fixture
def shop(run: Runner, write: Callable[..., Path], dsn: str) -> Path:
    """Two of three migrations are applied."""
    directory = write(SHOP)
    assert run.program("migrate", "--plain", "--to", "0002", dsn=dsn).code == 0
    return directory


@pytest.fixture
def replayed(server: Server) -> tuple[str, ...]:
    """On the test's own server, which costs less than to start one."""
    return ("verify", "--replay", "--scratch", server.dsn)


def test_database_as_promised(run: Runner, shop: Path, dsn: str, replayed: tuple[str, ...]) -> None:
    person, program = run.both(*replayed, dsn=dsn)

    assert (person.code, person.err) == (0, "")
    assert "2 migrations checked, 1 verify script, replayed in" in person.out
    assert person.out.endswith(": all holds\n")
    value = program.json()
    assert (value["ok"], value["command"], value["findings"]) == (True, "verify", [])
    assert value["result"]["applied"] == 2
    assert value["result"]["replay"]["changes"] == []


def test_without_replay_drift_is_not_looked_for(
    run: Runner, shop: Path, dsn: str, conn: psycopg.Connection
) -> None:
    conn.execute("ALTER TABLE users ADD nick text")

    person, program = run.both("verify", dsn=dsn)

    assert (person.code, program.code) == (0, 0)
    assert "2 migrations checked, 1 verify script: all holds" in person.out
    assert program.json()["result"]["replay"] is None


def test_drift_exits_4_and_is_shown_once(
    run: Runner,
    shop: Path,
    dsn: str,
    conn: psycopg.Connection,
    replayed: tuple[str, ...],
) -> None:
    conn.execute(
        "ALTER TABLE users ADD nick text, ALTER n SET DEFAULT 2; INSERT INTO users (id) VALUES (1)"
    )

    person, program = run.both(*replayed, dsn=dsn)

    assert (person.code, program.code) == (4, 4)
    assert person.out.splitlines()[1:] == [
        "--- what the migrations make",
        "+++ what the database holds",
        "- column public.users.n: integer default 1",
        "+ column public.users.n: integer default 2",
        "+ column public.users.nick: text",
    ]
    assert "nick" not in person.err
    assert "0001_users does not verify" in person.err
    value = program.json()
    assert [(f["code"], f["severity"]) for f in value["findings"]] == [
        ("verify.failed", "error"),
        ("replay.altered", "error"),
        ("replay.added", "error"),
    ]
    assert value["error"]["code"] == "gate"


def test_edited_file_is_a_broken_history_and_makes_the_replay_unknown(
    run: Runner, shop: Path, dsn: str, replayed: tuple[str, ...]
) -> None:
    (shop / "0002_orders.up.sql").write_text("CREATE TABLE orders (id bigint);")

    person, program = run.both(*replayed, dsn=dsn)

    assert (person.code, program.code) == (5, 5)
    assert "not replayed" in person.out
    codes = [finding["code"] for finding in program.json()["findings"]]
    assert codes == ["history.edited", "replay.unknown"]


def test_unknown_replay_is_no_failure_and_no_success(run: Runner, shop: Path, dsn: str) -> None:
    nowhere = make_conninfo("host=127.0.0.1 port=9", password=PASSWORD)

    person, program = run.both("verify", "--replay", "--scratch", nowhere, dsn=dsn)

    assert (person.code, program.code) == (0, 0)
    assert "all holds" not in person.out
    assert "is unknown. Nothing answers at" in person.err
    value = program.json()["result"]["replay"]
    assert "Nothing answers" in value["unknown"]
    assert value["changes"] is None
    assert PASSWORD not in person.said + program.said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--scratch", "dbname=x"), "Add --replay"),
        (("--replay", "--scratch", ""), "--scratch is empty"),
    ],
)
def test_options_that_do_not_go_together(
    run: Runner, shop: Path, dsn: str, arguments: tuple[str, ...], said: str
) -> None:
    result = run.program("verify", *arguments, dsn=dsn)

    assert result.code == 2
    error = result.json()["error"]
    assert said in f"{error['message']} {error['next_step']}"


def test_broken_scratch_dsn_is_wrong_usage_and_not_repeated(
    run: Runner, shop: Path, dsn: str
) -> None:
    result = run("verify", "--replay", "--scratch", f"postgresql://u:{PASSWORD}@a@b/x", dsn=dsn)

    assert result.code == 2
    assert PASSWORD not in result.said


@pytest.mark.parametrize(
    ("setting", "code", "said"),
    [
        ('verify = "off"', 0, "1 migration applied in"),
        ("", 0, "1 migration applied in"),
        ('verify = "scripts"', 0, "1 migration applied in"),
        ('verify = "replay"', 4, "1 migration applied, but verification failed"),
    ],
)
def test_check_after_an_apply_is_what_the_target_says(
    run: Runner,
    shop: Path,
    dsn: str,
    conn: psycopg.Connection,
    configure: Callable[[str], Path],
    server: Server,
    tables: Callable[[], list[str]],
    setting: str,
    code: int,
    said: str,
) -> None:
    conn.execute("ALTER TABLE users ADD nick text")
    configure(f'[targets.shop]\ndsn = "{dsn}"\nscratch = "${{SCRATCH}}"\n{setting}\n')

    result = run("migrate", "--plain", SCRATCH=server.dsn)

    assert result.code == code
    assert said in result.out
    assert tables() == ["later", "orders", "users"]


@pytest.mark.parametrize(("setting", "code"), [('verify = "off"', 0), ("", 4)])
def test_check_that_is_switched_off_runs_no_script(
    run: Runner,
    write: Callable[..., Path],
    dsn: str,
    configure: Callable[[str], Path],
    setting: str,
    code: int,
) -> None:
    write({"0001_a.up.sql": "SELECT 1;", "0001_a.verify.sql": "SELECT false;"})
    configure(f'[targets.shop]\ndsn = "{dsn}"\n{setting}\n')

    assert run.program("migrate", "--plain").code == code


def test_failed_script_after_an_apply_is_headed_as_that(
    run: Runner, write: Callable[..., Path], dsn: str
) -> None:
    write({"0001_a.up.sql": "SELECT 1;", "0001_a.verify.sql": "SELECT false;"})

    result = run("migrate", "--plain", dsn=dsn)

    assert result.code == 4
    assert ": 1 migration applied, but verification failed\n" in result.out
    assert "before it" not in result.out
