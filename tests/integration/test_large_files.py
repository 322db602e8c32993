"""Large files: applied as they are read, in one transaction with their ledger row."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from confiture_flows.errors import ApplyError, MigrationFileError
from confiture_flows.migrations.lifecycle import Request, run_lifecycle
from confiture_flows.migrations.observer import Observer
from confiture_flows.migrations.plain import PlainStages
from confiture_flows.migrations.plan import Direction, Step
from confiture_flows.migrations.send import Sent
from confiture_flows.report.finding import Severity
from confiture_flows.sql import large
from confiture_flows.target import Target, connect
from tests.support import eventually

PROGRAM = Path(sys.executable).with_name("confiture-flows")
MEMORY_LIMIT = 150 * 1024  # KiB, as the system counts it
TABLE = "CREATE TABLE people (id int PRIMARY KEY, name text NOT NULL, note text);\n"
ROWS = 20_000


class Watching(Observer):
    """Keeps what it is told of large files."""

    def __init__(self) -> None:
        self.told: list[Sent] = []

    def sent(self, step: Step, sent: Sent) -> None:
        self.told.append(sent)


def inserts(count: int, first: int = 1) -> str:
    return "".join(
        f"INSERT INTO people VALUES ({number}, 'Ada O''Neil', 'é; {number}');\n"
        for number in range(first, first + count)
    )


def copy_block(count: int) -> str:
    rows = "".join(f"{number}\tAda\té;{number}\n" for number in range(1, count + 1))
    return f"COPY people (id, name, note) FROM stdin;\n{rows}\\.\n"


@pytest.fixture
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "LARGE_FILE", 1000)


@pytest.fixture
def migrate(target: Target, small_is_large: None) -> Callable[[Path], Watching]:
    """Apply all of a directory, with files of over 1,000 bytes as large ones."""

    def run(directory: Path) -> Watching:
        watching = Watching()
        with connect(target, "test") as conn:
            stages = PlainStages(conn, target, Request(directory), watching, lambda _report: None)
            run_lifecycle(stages, target=target.name, direction=Direction.UP, gate=Severity.ERROR)
        return watching

    return run


def rows_in(conn: psycopg.Connection, table: str) -> int | None:
    """How many rows a table has; None when there is no such table."""
    found = conn.execute("SELECT to_regclass(%s)", (table,)).fetchone()
    if found is None or found[0] is None:
        return None
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
    counted = conn.execute(query).fetchone()
    return counted[0] if counted else None


@pytest.mark.parametrize("data", [inserts(ROWS), copy_block(ROWS)], ids=["inserts", "copy"])
def test_all_of_it_is_applied_and_told(
    migrate: Callable[[Path], Watching],
    write: Callable[..., Path],
    conn: psycopg.Connection,
    data: str,
) -> None:
    text = f"{TABLE}{data}CREATE INDEX ON people (name);\n"
    watching = migrate(write({"0001_load.up.sql": text}))

    assert rows_in(conn, "people") == ROWS
    assert rows_in(conn, "tb_confiture") == 1
    last = conn.execute("SELECT note FROM people WHERE id = %s", (ROWS,)).fetchone()
    assert last is not None
    assert last[0].startswith("é;")
    positions = [sent.position for sent in watching.told]
    assert len(positions) >= 2
    assert positions == sorted(positions)
    assert {sent.size for sent in watching.told} == {len(text.encode())}


def test_a_failing_statement_near_the_end_is_named_and_all_is_rolled_back(
    migrate: Callable[[Path], Watching], write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    text = (
        TABLE + inserts(ROWS) + "INSERT INTO people\nVALUES (1, 'again');\n" + inserts(9, ROWS + 1)
    )
    directory = write({"0001_load.up.sql": text})

    with pytest.raises(ApplyError) as failed:
        migrate(directory)

    error = failed.value
    assert (error.sqlstate, error.statement, error.line) == ("23505", ROWS + 2, ROWS + 2)
    assert error.file == directory / "0001_load.up.sql"
    assert error.excerpt == "INSERT INTO people …"
    assert rows_in(conn, "people") is None
    assert rows_in(conn, "tb_confiture") == 0


def test_a_position_in_a_statement_becomes_its_line(
    migrate: Callable[[Path], Watching], write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    text = TABLE + inserts(ROWS) + "INSERT INTO people\n  (id, é,\n nome) VALUES (0, 'a');\n"

    with pytest.raises(ApplyError) as failed:
        migrate(write({"0001_load.up.sql": text}))

    assert (failed.value.sqlstate, failed.value.line) == ("42703", ROWS + 3)
    assert failed.value.statement == ROWS + 2


def test_a_failing_row_of_a_copy_is_named(
    migrate: Callable[[Path], Watching], write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    block = copy_block(ROWS).replace(f"\n{ROWS}\t", "\nno number\t")

    with pytest.raises(ApplyError) as failed:
        migrate(write({"0001_load.up.sql": TABLE + block}))

    assert (failed.value.sqlstate, failed.value.line) == ("22P02", ROWS + 2)
    assert rows_in(conn, "people") is None


def test_a_script_of_several_batches_goes_on_where_it_stopped(
    migrate: Callable[[Path], Watching], write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    before = TABLE + inserts(100) + "CREATE INDEX CONCURRENTLY people_name ON people (name);\n"
    directory = write({"0001_load.up.sql": before + inserts(100, 101) + "SELECT 1 / 0;\n"})
    with pytest.raises(ApplyError) as failed:
        migrate(directory)
    assert failed.value.statement == 203
    assert rows_in(conn, "people") == 100

    write({"0001_load.up.sql": before + inserts(100, 101)})
    migrate(directory)

    assert rows_in(conn, "people") == 200
    assert rows_in(conn, "tb_confiture_journal") == 0


def test_a_file_that_changes_on_the_way_is_rolled_back(
    migrate: Callable[[Path], Watching],
    write: Callable[..., Path],
    conn: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    directory = write({"0001_load.up.sql": TABLE + inserts(ROWS)})
    told: list[Sent] = []

    def edit_once(_watching: Watching, _step: Step, sent: Sent) -> None:
        told.append(sent)
        if len(told) == 2:
            (directory / "0001_load.up.sql").write_text(TABLE + inserts(5))

    monkeypatch.setattr(Watching, "sent", edit_once)

    with pytest.raises(MigrationFileError, match="was edited while the run was going on"):
        migrate(directory)
    assert rows_in(conn, "people") is None


def test_what_pg_dump_writes_is_applied(
    migrate: Callable[[Path], Watching],
    write: Callable[..., Path],
    conn: psycopg.Connection,
    new_database: Callable[[], str],
) -> None:
    import shutil

    if shutil.which("pg_dump") is None:
        pytest.skip("there is no pg_dump")
    source = new_database()
    with psycopg.connect(source, autocommit=True) as other:
        other.execute(TABLE.encode())
        other.execute(
            "INSERT INTO people SELECT n, E'a\\tb\\\\', NULL FROM generate_series(1, 5000) n"
        )
    dumped = subprocess.run(["pg_dump", source], capture_output=True, check=False)
    if dumped.returncode:
        pytest.skip(f"pg_dump is of another version: {dumped.stderr.decode()}")

    migrate(write({"0001_dump.up.sql": dumped.stdout}))

    assert rows_in(conn, "people") == 5000
    row = conn.execute("SELECT name, note FROM people WHERE id = 7").fetchone()
    assert row == ("a\tb\\", None)


# A process of its own, whose peak the kernel keeps; 30 MB, of which nothing may be held whole.
@pytest.mark.parametrize("kind", ["inserts", "copy"])
def test_memory_does_not_grow_with_the_file(
    write: Callable[..., Path], conn: psycopg.Connection, dsn: str, tmp_path: Path, kind: str
) -> None:
    directory = write({})
    with (directory / "0001_load.up.sql").open("w") as file:
        file.write(TABLE)
        note = "x" * 300
        if kind == "copy":
            file.write("COPY people FROM stdin;\n")
        for number in range(90_000):
            if kind == "copy":
                file.write(f"{number}\tAda\t{note}\n")
            else:
                file.write(f"INSERT INTO people VALUES ({number}, 'Ada', '{note}');\n")
        if kind == "copy":
            file.write("\\.\n")
    code = (
        "import resource, subprocess, sys\n"
        "done = subprocess.run(sys.argv[1:], capture_output=True, text=True)\n"
        "assert done.returncode == 0, done.stderr\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    command = [str(PROGRAM), "migrate", "--plain", "--dir", str(directory)]
    done = subprocess.run(
        [sys.executable, "-c", code, *command],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "CONFITURE_DSN": dsn},
    )
    assert done.returncode == 0, done.stderr
    peak = int(done.stdout)
    assert peak < MEMORY_LIMIT * (1024 if sys.platform == "darwin" else 1)
    assert rows_in(conn, "people") == 90_000


def test_interrupted_in_the_middle_nothing_is_left(
    write: Callable[..., Path], conn: psycopg.Connection, dsn: str, tmp_path: Path
) -> None:
    slow = "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n"
    slow += "PERFORM pg_sleep(0.01); RETURN NEW; END $$;\n"
    slow += "CREATE TRIGGER slow BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION slow();\n"
    filler = f"-- {'x' * 1000}\n" * 9000
    directory = write({"0001_load.up.sql": TABLE + slow + inserts(50_000) + filler})
    process = subprocess.Popen(
        [PROGRAM, "migrate", "--plain", "--dir", directory],
        cwd=tmp_path,
        env={**os.environ, "CONFITURE_DSN": dsn},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        eventually(
            lambda: conn.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND query LIKE '%INSERT INTO people%' AND pid <> pg_backend_pid()"
            ).fetchone(),
            lambda row: row is not None and row[0] == 1,
            seconds=30,
        )
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()

    assert process.returncode == 130, said
    assert rows_in(conn, "people") is None
    assert rows_in(conn, "tb_confiture") == 0
