"""Adopting a database: what is shown, what is asked, and what is marked."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from confiture_flows.migrations.lock import run_lock
from tests.foreign_ledgers import SCHEMA, SHOPS, pairs
from tests.support import eventually

from .conftest import Runner
from .test_terminal import Terminal


@pytest.fixture
def ledger(conn: psycopg.Connection) -> Callable[[], list[str] | None]:
    """The versions in the ledger; None when there is no ledger."""

    def read() -> list[str] | None:
        if conn.execute("SELECT to_regclass('tb_confiture')").fetchone() == (None,):
            return None
        rows = conn.execute("SELECT version FROM tb_confiture ORDER BY pk_confiture")
        return [row[0] for row in rows]

    return read


@pytest.fixture
def adopted(conn: psycopg.Connection, write: Callable[..., Path]) -> Callable[[str], None]:
    """The shop as a tool left it: its database and its directory."""

    def make(tool: str) -> None:
        conn.execute(SHOPS[tool].sql.encode())
        write(SHOPS[tool].files)

    return make


@pytest.fixture
def terminal(
    tmp_path: Path, environment: dict[str, str], dsn: str
) -> Iterator[Callable[..., Terminal]]:
    started: list[Terminal] = []

    def start(*arguments: str) -> Terminal:
        found = Terminal([*arguments], tmp_path, environment | {"CONFITURE_DSN": dsn})
        started.append(found)
        return found

    yield start
    for each in started:
        each.close()


@pytest.mark.parametrize("tool", SHOPS)
def test_what_a_tool_applied_is_marked_and_migrate_does_the_rest(
    tool: str,
    adopted: Callable[[str], None],
    run: Runner,
    dsn: str,
    ledger: Callable[[], list[str] | None],
    tables: Callable[[], list[str]],
) -> None:
    adopted(tool)
    first, second, third = SHOPS[tool].versions

    marked = run.program("baseline", "--yes", dsn=dsn)

    result = marked.json()["result"]
    assert (marked.code, marked.json()["findings"]) == (0, [])
    assert (result["tool"], result["table"]) == (tool, SHOPS[tool].table)
    assert (result["marked"], result["pending"]) == ([first, second], [third])
    assert ledger() == [first, second]

    done = run.program("migrate", "--plain", dsn=dsn).json()["result"]["done"]
    assert [each["version"] for each in done] == [third]
    assert {"users", "orders", "items"} <= set(tables())

    again = run.program("baseline", "--yes", dsn=dsn)
    assert (again.code, again.json()["result"]["marked"]) == (0, [])


def test_pipe_shows_and_marks_nothing(
    adopted: Callable[[str], None],
    run: Runner,
    dsn: str,
    ledger: Callable[[], list[str] | None],
) -> None:
    adopted("goose")

    person, program = run.both("baseline", dsn=dsn)

    assert (person.code, program.code) == (2, 2)
    assert "2 migrations to mark as applied" in person.out
    assert "public.goose_db_version is the ledger of goose: 2 versions applied." in person.out
    lines = [line.split() for line in person.out.splitlines() if line.strip().startswith("0000")]
    assert [(line[0], line[1], line[-1]) for line in lines] == [
        ("00001", "users", "mark"),
        ("00002", "orders", "mark"),
        ("00003", "items", "pending"),
    ]
    assert "run the same with --yes" in person.out
    value = program.json()
    assert value["result"]["to_mark"] == ["00001", "00002"]
    assert value["result"]["marked"] == []
    assert "--yes" in value["error"]["next_step"]
    assert ledger() is None


@pytest.mark.parametrize("answer", ["y", "YES"])
def test_yes_on_a_terminal_marks(
    answer: str,
    adopted: Callable[[str], None],
    terminal: Callable[..., Terminal],
    ledger: Callable[[], list[str] | None],
) -> None:
    adopted("sqlx")
    started = terminal("baseline")
    shown = started.read(lambda text: "[y/N]" in text)
    assert "20260103090000" in shown
    assert ledger() is None

    started.type(f"{answer}\n")
    shown = started.read()

    assert started.process.wait(60) == 0
    assert "2 migrations marked as applied" in shown
    assert ledger() == ["20260101090000", "20260102090000"]


@pytest.mark.parametrize("answer", ["n\n", "\n", "\x04"], ids=["n", "none", "end"])
def test_anything_else_on_a_terminal_marks_nothing(
    answer: str,
    adopted: Callable[[str], None],
    terminal: Callable[..., Terminal],
    ledger: Callable[[], list[str] | None],
) -> None:
    adopted("sqlx")
    started = terminal("baseline")
    started.read(lambda text: "[y/N]" in text)

    started.type(answer)
    shown = started.read()

    assert started.process.wait(60) == 130
    assert "Traceback" not in shown
    assert ledger() is None


def test_interrupt_of_the_question_marks_nothing(
    adopted: Callable[[str], None],
    terminal: Callable[..., Terminal],
    ledger: Callable[[], list[str] | None],
) -> None:
    adopted("sqlx")
    started = terminal("baseline")
    started.read(lambda text: "[y/N]" in text)
    # Between the question and the wait for its answer Python would not wake up.
    stat = Path(f"/proc/{started.process.pid}/stat")
    eventually(lambda: stat.read_text().rpartition(")")[2].split()[0], lambda state: state == "S")

    os.killpg(started.process.pid, signal.SIGINT)
    shown = started.read()

    assert started.process.wait(60) == 130
    assert "Traceback" not in shown
    assert ledger() is None


def test_change_while_the_question_stands_marks_nothing(
    adopted: Callable[[str], None],
    terminal: Callable[..., Terminal],
    conn: psycopg.Connection,
    ledger: Callable[[], list[str] | None],
) -> None:
    adopted("golang-migrate")
    started = terminal("baseline")
    started.read(lambda text: "[y/N]" in text)
    conn.execute("UPDATE schema_migrations SET version = 3")

    started.type("y\n")
    shown = started.read()

    assert started.process.wait(60) == 5
    assert "has changed while you looked" in shown
    assert ledger() is None


def test_through_a_version_needs_no_other_ledger(
    run: Runner,
    dsn: str,
    conn: psycopg.Connection,
    write: Callable[..., Path],
    ledger: Callable[[], list[str] | None],
) -> None:
    conn.execute(SCHEMA)
    write(pairs("1", "2", "3"))

    result = run("baseline", "--to", "2", dsn=dsn)

    assert (result.code, result.err) == (0, "")
    assert result.out.endswith(": 2 migrations marked as applied\n")
    assert ledger() == ["1", "2"]
    assert "1 migration applied" in run("migrate", "--plain", dsn=dsn).out


def test_dirty_ledger_is_refused(
    adopted: Callable[[str], None],
    run: Runner,
    dsn: str,
    conn: psycopg.Connection,
    ledger: Callable[[], list[str] | None],
) -> None:
    adopted("golang-migrate")
    conn.execute("UPDATE schema_migrations SET dirty = true")

    person, program = run.both("baseline", "--yes", dsn=dsn)

    assert (person.code, program.code) == (5, 5)
    assert "golang-migrate did not complete 2: dirty" in person.err
    assert "baseline --to VERSION" in person.err
    assert program.json()["error"]["code"] == "history"
    assert [each["code"] for each in program.json()["findings"]] == ["history.incomplete"]
    assert ledger() is None


def test_run_in_progress_is_waited_for_and_named(
    adopted: Callable[[str], None],
    run: Runner,
    dsn: str,
    conn: psycopg.Connection,
    configure: Callable[[str], Path],
    ledger: Callable[[], list[str] | None],
) -> None:
    adopted("goose")
    configure(f'[targets.db]\ndsn = "{dsn}"\nlock_patience = 0.3\n')
    with run_lock(conn, 1):
        result = run("baseline", "--yes", "--target", "db")

    assert result.code == 6
    assert "Another run works on this database" in result.err
    assert "waiting" in result.err.lower()
    assert ledger() is None


def test_table_that_may_not_be_read_is_a_refusal(
    adopted: Callable[[str], None],
    run: Runner,
    new_role: Callable[[], str],
    ledger: Callable[[], list[str] | None],
) -> None:
    adopted("goose")

    result = run("baseline", "--yes", dsn=new_role())

    assert result.code == 3
    assert "permission denied for table goose_db_version" in result.err
    assert "Traceback" not in result.said
    assert ledger() is None


def test_edited_file_is_told_and_stops_a_strict_target(
    adopted: Callable[[str], None],
    run: Runner,
    dsn: str,
    tmp_path: Path,
    configure: Callable[[str], Path],
    ledger: Callable[[], list[str] | None],
) -> None:
    adopted("prisma")
    file = tmp_path / "db" / "migrations" / "20260101090000_users" / "migration.sql"
    file.write_text("CREATE TABLE people (id int);\n")
    configure(f'[targets.prod]\ndsn = "{dsn}"\nproduction = true\n[targets.test]\ndsn = "{dsn}"\n')

    strict = run("baseline", "--yes", "--target", "prod")
    assert strict.code == 5
    assert "error: 20260101090000_users was edited after prisma applied it" in strict.err
    assert str(file) in strict.err
    assert ledger() is None

    lenient = run("baseline", "--yes", "--target", "test")
    assert lenient.code == 0
    assert "warning: 20260101090000_users was edited after prisma applied it" in lenient.err
    assert len(ledger() or ()) == 2


def test_gap_and_missing_file_are_listed_and_the_gap_stays(
    adopted: Callable[[str], None],
    run: Runner,
    dsn: str,
    conn: psycopg.Connection,
    ledger: Callable[[], list[str] | None],
) -> None:
    adopted("dbmate")
    conn.execute("DELETE FROM schema_migrations WHERE version = '20260101000000'")
    conn.execute("INSERT INTO schema_migrations VALUES ('20251201000000')")
    conn.execute("DROP TABLE users")

    result = run("baseline", "--yes", dsn=dsn)
    value = run.program("baseline", dsn=dsn).json()["result"]

    assert result.code == 0
    assert "20251201000000" in result.err
    assert "20260101000000_users is not applied although a later migration is" in result.err
    assert ledger() == ["20260102000000"]
    assert value["out_of_order"] == ["20260101000000"]
    assert value["not_on_disk"] == ["20251201000000"]
    done = run.program("migrate", "--plain", dsn=dsn).json()["result"]["done"]
    assert [each["version"] for each in done] == ["20260101000000", "20260103000000"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "No other tool's ledger"),
        (["--from", "goose"], 2, "There is no table goose_db_version"),
        (["--from", "liquibase"], 2, "There is no tool 'liquibase'. "),
        (["--table", "nothing"], 2, "There is no table nothing"),
        (["--to", "4"], 2, "There is no migration 4"),
        (["--to", ""], 2, "--to is empty"),
        (["--from", ""], 2, "--from is empty"),
        (["--table", ""], 2, "--table is empty"),
        (["--to", "1", "--from", "goose"], 2, "--to says what is applied"),
        (["--to", "1", "--table", "t"], 2, "--to says what is applied"),
    ],
)
def test_wrong_usage_marks_nothing(
    arguments: list[str],
    code: int,
    said: str,
    run: Runner,
    dsn: str,
    write: Callable[..., Path],
    ledger: Callable[[], list[str] | None],
) -> None:
    write(pairs("1", "2", "3"))

    result = run.program("baseline", *arguments, "--yes", dsn=dsn)

    error = result.json()["error"]
    assert (result.code, result.json()["ok"]) == (code, False)
    assert said.strip() in error["message"]
    assert error["next_step"]
    assert ledger() is None


def test_repeated_version_in_the_directory_marks_nothing(
    run: Runner,
    dsn: str,
    write: Callable[..., Path],
    ledger: Callable[[], list[str] | None],
) -> None:
    write({"1_a.up.sql": "SELECT 1;", "1_b.up.sql": "SELECT 1;"})

    result = run("baseline", "--to", "1", dsn=dsn)

    assert result.code == 5
    assert "Version 1 stands twice" in result.err
    assert ledger() is None
