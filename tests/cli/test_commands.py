"""What each command says and does when nothing is wrong, to a person and to a program."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from .conftest import Runner

PAIRS = {
    "0001_users.up.sql": "CREATE TABLE users (id int PRIMARY KEY);\n",
    "0001_users.down.sql": "DROP TABLE users;\n",
    "0002_orders.up.sql": "CREATE TABLE orders (id int);\n"
    "CREATE INDEX CONCURRENTLY ON orders (id);\n",
    "0002_orders.down.sql": "DROP TABLE orders;\n",
    "0003_items.up.sql": "CREATE TABLE items (id int);\n",
}


@pytest.fixture
def directory(write: Callable[..., Path]) -> Path:
    return write(PAIRS)


def test_migrate_applies_what_is_pending(
    run: Runner, dsn: str, directory: Path, tables: Callable[[], list[str]]
) -> None:
    result = run("migrate", "--plain", dsn=dsn)

    assert result.code == 0
    assert re.search(r": 3 migrations applied in \d+\.\d s\n$", result.out)
    lines = result.err.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["applied", "0001_users"],
        ["applied", "0002_orders"],
        ["applied", "0003_items"],
    ]
    assert tables() == ["items", "orders", "users"]


def test_second_migrate_does_nothing(run: Runner, dsn: str, directory: Path) -> None:
    run.program("migrate", "--plain", dsn=dsn)

    result = run("migrate", "--plain", dsn=dsn)

    assert (result.code, result.err) == (0, "")
    assert result.out.endswith(": nothing to apply\n")


def test_migrate_tells_a_program(run: Runner, dsn: str, directory: Path) -> None:
    result = run("migrate", "--plain", "--json", dsn=dsn)

    value = result.json()
    assert (result.code, result.err) == (0, "")
    assert (value["ok"], value["command"], value["error"]) == (True, "migrate", None)
    assert value["findings"] == []
    assert value["target"]
    assert value["result"]["direction"] == "up"
    assert value["result"]["planned"] == ["0001", "0002", "0003"]
    assert [each["version"] for each in value["result"]["done"]] == ["0001", "0002", "0003"]
    assert value["result"]["elapsed_seconds"] > 0

    again = run.program("migrate", "--plain", dsn=dsn).json()
    assert (again["ok"], again["result"]["done"]) == (True, [])


def test_to_stops_on_the_way_forward_and_on_the_way_back(
    run: Runner, dsn: str, directory: Path, tables: Callable[[], list[str]]
) -> None:
    assert run("migrate", "--plain", "--to", "0002", dsn=dsn).code == 0
    assert tables() == ["orders", "users"]

    result = run("rollback", "--plain", "--to", "0001", dsn=dsn)
    assert result.code == 0
    assert "1 migration rolled back" in result.out
    assert tables() == ["users"]

    assert run("rollback", "--plain", "--to", "zero", dsn=dsn).code == 0
    assert tables() == []


def test_rollback_undoes_one(
    run: Runner, dsn: str, directory: Path, tables: Callable[[], list[str]]
) -> None:
    run.program("migrate", "--plain", "--to", "0002", dsn=dsn)

    value = run.program("rollback", "--plain", dsn=dsn).json()

    assert (value["ok"], value["command"]) == (True, "rollback")
    assert value["result"]["direction"] == "down"
    assert [each["version"] for each in value["result"]["done"]] == ["0002"]
    assert tables() == ["users"]


def test_rollback_of_nothing(run: Runner, dsn: str, directory: Path) -> None:
    result = run("rollback", "--plain", dsn=dsn)

    assert result.code == 0
    assert result.out.endswith(": nothing to roll back\n")


def test_plan_shows_what_would_run_and_changes_nothing(
    run: Runner, dsn: str, directory: Path, tables: Callable[[], list[str]]
) -> None:
    result = run("plan", dsn=dsn)

    assert result.code == 0
    assert "3 migrations to apply" in result.out
    assert "one transaction" in result.out
    assert "CREATE INDEX CONCURRENTLY" in result.out
    assert tables() == []


def test_plan_tells_a_program(run: Runner, dsn: str, directory: Path) -> None:
    value = run.program("plan", "--to", "0002", dsn=dsn).json()

    assert value["ok"]
    assert value["result"]["direction"] == "up"
    assert [step["version"] for step in value["result"]["steps"]] == ["0001", "0002"]
    assert value["result"]["steps"][0]["file"].endswith("0001_users.up.sql")


def test_plan_back(run: Runner, dsn: str, directory: Path) -> None:
    run.program("migrate", "--plain", "--to", "0002", dsn=dsn)

    result = run("plan", "--back", "--to", "zero", dsn=dsn)
    value = run.program("plan", "--back", dsn=dsn).json()

    assert "2 migrations to roll back" in result.out
    assert [step["version"] for step in value["result"]["steps"]] == ["0002"]
    assert value["result"]["steps"][0]["file"].endswith("0002_orders.down.sql")


def test_status_shows_where_each_migration_stands(run: Runner, dsn: str, directory: Path) -> None:
    run.program("migrate", "--plain", "--to", "0002", dsn=dsn)

    result = run("status", dsn=dsn)

    assert result.code == 0
    assert "2 applied, 1 pending" in result.out
    rows = [line.split() for line in result.out.splitlines() if " 000" in line]
    assert [(row[0], row[1], row[2], row[-1]) for row in rows] == [
        ("0001", "users", "applied", "yes"),
        ("0002", "orders", "applied", "yes"),
        ("0003", "items", "pending", "no"),
    ]


def test_status_tells_a_program(run: Runner, dsn: str, directory: Path) -> None:
    run.program("migrate", "--plain", "--to", "0001", dsn=dsn)

    value = run("status", "--json", dsn=dsn).json()

    first, second, _ = value["result"]["migrations"]
    assert (first["version"], first["state"], first["reversible"]) == ("0001", "applied", True)
    assert datetime.fromisoformat(first["applied_at"]).tzinfo is not None
    assert (second["state"], second["applied_at"]) == ("pending", None)


def test_status_of_an_edited_history_exits_5_and_shows_all(
    run: Runner, dsn: str, directory: Path
) -> None:
    run.program("migrate", "--plain", dsn=dsn)
    (directory / "0001_users.up.sql").write_text("SELECT 1;")
    (directory / "0003_items.up.sql").unlink()

    result = run("status", dsn=dsn)
    value = run.program("status", dsn=dsn).json()

    assert result.code == 5
    assert "edited" in result.out
    assert "deleted" in result.out
    assert "history.edited" in result.err
    assert "history.deleted" in result.err
    assert value["ok"] is False
    assert {finding["code"] for finding in value["findings"]} == {
        "history.edited",
        "history.deleted",
    }
    assert len(value["result"]["migrations"]) == 3


def test_plan_of_an_edited_history_shows_all_findings(
    run: Runner, dsn: str, directory: Path
) -> None:
    run.program("migrate", "--plain", dsn=dsn)
    (directory / "0001_users.up.sql").write_text("SELECT 1;")
    (directory / "0002_orders.up.sql").write_text("SELECT 1;")

    result = run("plan", dsn=dsn)
    value = run.program("plan", dsn=dsn).json()

    assert result.code == 5
    assert "0001_users was edited" in result.err
    assert "0002_orders was edited" in result.err
    assert [finding["version"] for finding in value["findings"]] == ["0001", "0002"]


def test_status_creates_no_ledger(run: Runner, dsn: str, directory: Path, conn: object) -> None:
    run.program("status", dsn=dsn)
    run.program("plan", dsn=dsn)

    found = conn.execute("SELECT to_regclass('tb_confiture')").fetchone()  # pyright: ignore[reportAttributeAccessIssue]
    assert found == (None,)


def test_warning_is_told_and_does_not_stop(run: Runner, dsn: str, directory: Path) -> None:
    run.program("migrate", "--plain", dsn=dsn)
    (directory / "0002_5_late.up.sql").write_text("SELECT 1;")
    (directory / "0002_5_late.up.sql").rename(directory / "00015_late.up.sql")

    result = run("migrate", "--plain", dsn=dsn)

    assert result.code == 0
    assert result.err.startswith("applied 00015_late") or "00015" in result.err


def test_new_writes_a_pair_that_runs(run: Runner, dsn: str, tmp_path: Path) -> None:
    first = run("new", "add users")
    second = run("new", "add orders", "--json")

    assert first.code == 0
    directory = tmp_path / "db" / "migrations"
    assert len(list(directory.glob("*_add_users.*.sql"))) == 2
    files = second.json()["result"]["files"]
    assert [Path(file).name.partition("_")[2] for file in files] == [
        "add_orders.up.sql",
        "add_orders.down.sql",
    ]
    result = run("migrate", "--plain", dsn=dsn)
    assert "2 migrations applied" in result.out


def test_new_counts_on(run: Runner, directory: Path) -> None:
    result = run("new", "Größe der Kiste")

    assert result.code == 0
    assert (directory / "0004_groe_der_kiste.up.sql").exists() or list(directory.glob("0004_*"))


def test_new_refuses_a_name_without_letters(run: Runner) -> None:
    result = run("new", "???", "--json")

    assert result.code == 2
    assert result.json()["error"]["code"] == "config"


def test_new_refuses_a_directory_that_cannot_be_written(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    result = run("new", "add users", "--dir", str(tmp_path / "file"))

    assert result.code == 2
    assert "Traceback" not in result.said


@pytest.mark.parametrize("how", ["option", "configuration"])
def test_directory_is_where_it_is_said_to_be(
    run: Runner,
    dsn: str,
    write: Callable[..., Path],
    configure: Callable[..., Path],
    tables: Callable[[], list[str]],
    how: str,
) -> None:
    write(PAIRS, "sql")
    if how == "configuration":
        configure('[migrations]\ndirectory = "sql"\n')

    result = run("migrate", "--plain", *(["--dir", "sql"] if how == "option" else []), dsn=dsn)

    assert result.code == 0, result.said
    assert tables() == ["items", "orders", "users"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_file_that_may_not_be_read_is_named(run: Runner, dsn: str, directory: Path) -> None:
    (directory / "0001_users.up.sql").chmod(0)

    result = run("migrate", "--plain", dsn=dsn)

    assert result.code == 4
    assert "0001_users.up.sql cannot be read" in result.said


HALF_WAY = "-- confiture: transaction=none\nCREATE TABLE a (id int);\n{}\n"


def test_half_done_migration_is_shown_and_resolved(
    run: Runner, dsn: str, write: Callable[..., Path]
) -> None:
    write({"0001_a.up.sql": HALF_WAY.format("SELECT 1 / 0;")})
    assert run("migrate", "--plain", dsn=dsn).code == 9

    person, program = run.both("resolve", dsn=dsn)
    assert (person.code, program.code) == (0, 0)
    assert "half applied: 1 statement committed" in person.out
    assert "  confiture-flows resolve 0001 --all --applied" in person.out
    assert "  confiture-flows migrate" in person.out
    assert program.json()["result"]["unfinished"] == [
        {"version": "0001", "direction": "up", "statements_committed": 1, "in_doubt": None}
    ]
    assert "half applied" in run("status", dsn=dsn).out

    other = run.program("resolve", "0002", dsn=dsn)
    assert (other.code, other.json()["result"]) == (0, {"unfinished": []})
    assert "0002 is not half done" in run("resolve", "0002", dsn=dsn).out
    assert run("resolve", "0001", "--applied", dsn=dsn).code == 2  # no statement is in doubt
    said = run("resolve", "0001", "--all", "--applied", dsn=dsn)
    assert (said.code, said.out) == (0, "0001: It is applied.\n")
    assert "nothing is half done" in run("resolve", dsn=dsn).out
    assert "1 applied, 0 pending" in run("status", dsn=dsn).out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--all",), "--all says nothing by itself"),
        (("--applied",), "Of which migration?"),
        (("0007", "--applied"), "Nothing of 0007 is half done"),
    ],
)
def test_resolve_that_says_too_little_is_wrong_usage(
    run: Runner, dsn: str, write: Callable[..., Path], options: tuple[str, ...], said: str
) -> None:
    write(PAIRS)
    result = run.program("resolve", *options, dsn=dsn)

    assert result.code == 2
    assert said in result.json()["error"]["message"]
