"""A table that somebody else holds: back off, try again, and give up without harm."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from confiture_flows.errors import LockError, PartialApplyError
from confiture_flows.migrations.observer import Busy, Observer

from .conftest import Engine

MIGRATION = {
    "0001_users.up.sql": "CREATE TABLE fresh (id int);\n\nALTER TABLE busy ADD COLUMN name text;\n"
}


class Watcher(Observer):
    """Keeps what it is told of busy tables; calls `then` each time."""

    def __init__(self, then: Callable[[], object] = lambda: None) -> None:
        self.then = then
        self.heard: list[Busy] = []
        self.seen: list[object] = []
        self.ticks = 0

    def busy(self, busy: Busy) -> None:
        self.heard.append(busy)
        self.seen.append(self.then())

    def tick(self) -> None:
        self.ticks += 1


@pytest.fixture
def held(conn: psycopg.Connection, other: psycopg.Connection) -> psycopg.Connection:
    """A session in a transaction that has read the table, as a long report has."""
    conn.execute("CREATE TABLE busy (id int)")
    other.execute("SELECT * FROM busy")
    return other


def test_migration_succeeds_once_the_table_is_free(
    engine: Engine, write: Callable[..., Path], held: psycopg.Connection
) -> None:
    watcher = Watcher()
    watcher.then = lambda: held.rollback() if len(watcher.heard) == 2 else None

    (row,) = engine.limited(busy_patience=10).migrate(write(MIGRATION), observer=watcher)

    assert row.version == "0001"
    assert [busy.attempt for busy in watcher.heard] == [1, 2]
    assert [busy.statement.line for busy in watcher.heard] == [3, 3]
    assert watcher.heard[0].statement.excerpt.startswith("ALTER TABLE busy")
    assert all(0 < busy.pause <= 0.2 for busy in watcher.heard)
    assert watcher.ticks >= 3


def test_nothing_is_held_while_the_run_backs_off(
    engine: Engine,
    write: Callable[..., Path],
    held: psycopg.Connection,
    conn: psycopg.Connection,
) -> None:
    """But the run's own lock: nobody else may start meanwhile."""

    def locks() -> list[tuple[str]]:
        return conn.execute(
            "SELECT locktype::text FROM pg_locks WHERE pid IN (SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'confiture-flows test')"
        ).fetchall()

    watcher = Watcher(locks)
    with pytest.raises(LockError):
        engine.migrate(write(MIGRATION), observer=watcher)

    assert watcher.seen
    assert all(each == [("advisory",)] for each in watcher.seen)


def test_readers_do_not_queue_behind_a_waiting_migration(
    engine: Engine,
    write: Callable[..., Path],
    held: psycopg.Connection,
    conn: psycopg.Connection,
) -> None:
    slowest = 0.0
    patient = engine.limited(busy_patience=1.0)
    directory = write(MIGRATION)
    failed: list[BaseException] = []

    def run() -> None:
        try:
            patient.migrate(directory)
        except LockError as error:
            failed.append(error)

    runner = threading.Thread(target=run)
    runner.start()
    while runner.is_alive():
        started = time.monotonic()
        conn.execute("SELECT count(*) FROM busy")
        slowest = max(slowest, time.monotonic() - started)
        time.sleep(0.01)
    runner.join()

    assert failed
    # lock_timeout is 100 ms here; the rest is for a slow machine.
    assert slowest < 0.9


def test_patience_at_its_end_leaves_nothing(
    engine: Engine,
    write: Callable[..., Path],
    held: psycopg.Connection,
    tables: Callable[[], list[str]],
) -> None:
    directory = write(MIGRATION)

    with pytest.raises(LockError, match="0001_users met a busy table") as caught:
        engine.migrate(directory)

    error = caught.value
    assert error.exit_code == 6
    assert error.retryable
    assert (error.file, error.line, error.statement) == (directory / "0001_users.up.sql", 3, 2)
    assert error.sqlstate == "55P03"
    assert tables() == ["busy"]
    assert engine.versions() == []


def test_no_patience_means_one_try(
    engine: Engine, write: Callable[..., Path], held: psycopg.Connection
) -> None:
    watcher = Watcher()

    with pytest.raises(LockError):
        engine.limited(busy_patience=0).migrate(write(MIGRATION), observer=watcher)

    assert watcher.heard == []


def test_nowait_of_the_file_is_tried_again_too(
    engine: Engine, write: Callable[..., Path], held: psycopg.Connection
) -> None:
    watcher = Watcher(held.rollback)

    engine.migrate(
        write({"0001_users.up.sql": "LOCK TABLE busy NOWAIT; CREATE TABLE fresh (id int);"}),
        observer=watcher,
    )

    assert len(watcher.heard) == 1


def test_row_lock_of_an_update_is_waited_for_alike(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    other: psycopg.Connection,
) -> None:
    conn.execute("CREATE TABLE busy (id int); INSERT INTO busy VALUES (1)")
    other.execute("UPDATE busy SET id = 2")
    watcher = Watcher(other.rollback)

    engine.migrate(write({"0001_users.up.sql": "UPDATE busy SET id = 3;"}), observer=watcher)

    assert len(watcher.heard) == 1
    assert conn.execute("SELECT id FROM busy").fetchall() == [(3,)]


def test_ledger_that_somebody_locks_is_waited_for(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    other: psycopg.Connection,
) -> None:
    directory = write({"0000_nothing.up.sql": ""})
    engine.migrate(directory)
    other.execute("LOCK TABLE tb_confiture IN SHARE MODE")
    write({"0001_users.up.sql": "CREATE TABLE users (id int);"})

    with pytest.raises(LockError, match="0001_users met a busy table"):
        engine.migrate(directory)

    release = threading.Timer(0.3, other.rollback)
    release.start()
    engine.limited(busy_patience=10).migrate(directory)
    release.join()
    assert engine.versions() == ["0000", "0001"]


def test_busy_table_on_the_way_back(
    engine: Engine, write: Callable[..., Path], other: psycopg.Connection
) -> None:
    directory = write(
        {
            "0001_users.up.sql": "CREATE TABLE users (id int);",
            "0001_users.down.sql": "DROP TABLE users;",
        }
    )
    engine.migrate(directory)
    other.execute("SELECT * FROM users")

    with pytest.raises(LockError):
        engine.rollback(directory)
    assert engine.versions() == ["0001"]

    other.rollback()
    engine.rollback(directory)
    assert engine.versions() == []


def test_table_that_is_busy_half_way_is_waited_for_there(
    engine: Engine, write: Callable[..., Path], held: psycopg.Connection
) -> None:
    """Statements that are committed are not run again."""
    directory = write(
        {
            "0001_users.up.sql": "-- confiture: transaction=none\n"
            "CREATE TABLE once (id int);\nALTER TABLE busy ADD COLUMN name text;\n"
        }
    )
    watcher = Watcher(held.rollback)

    engine.migrate(directory, observer=watcher)

    assert len(watcher.heard) == 1
    assert engine.versions() == ["0001"]


def test_patience_that_ends_half_way_says_what_is_committed(
    engine: Engine,
    write: Callable[..., Path],
    held: psycopg.Connection,
    tables: Callable[[], list[str]],
) -> None:
    directory = write(
        {
            "0001_users.up.sql": "-- confiture: transaction=none\n"
            "CREATE TABLE once (id int);\nALTER TABLE busy ADD COLUMN name text;\n"
        }
    )
    with pytest.raises(PartialApplyError, match="half way: 1 statement is committed") as caught:
        engine.migrate(directory)

    assert caught.value.sqlstate == "55P03"
    assert caught.value.retryable  # the journal knows that the first is done
    assert tables() == ["busy", "once"]
    assert engine.versions() == []

    held.rollback()
    engine.migrate(directory)
    assert engine.versions() == ["0001"]
