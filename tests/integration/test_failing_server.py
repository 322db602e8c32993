"""What is not the file's fault: lost connections, deadlocks, a read-only target, time limits."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from confiture_flows.errors import (
    ApplyError,
    PartialApplyError,
    TargetError,
    TargetUnreachableError,
    TransientApplyError,
)
from confiture_flows.migrations.apply import apply_plan
from confiture_flows.target import connect
from tests.support import eventually

from .conftest import Engine

TERMINATE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'confiture-flows test'
"""


@contextmanager
def meanwhile(do: Callable[[], object]) -> Iterator[None]:
    """Do something in a thread while the block runs."""
    thread = threading.Thread(target=do)
    thread.start()
    try:
        yield
    finally:
        thread.join()


@pytest.fixture
def terminate(conn: psycopg.Connection, sessions: Callable[[], list[str]]) -> Callable[[], None]:
    """End the run's session as soon as it sleeps."""

    def end() -> None:
        eventually(sessions, lambda running: any("pg_sleep" in query for query in running))
        conn.execute(TERMINATE)

    return end


def test_lost_connection_is_worth_another_try_and_leaves_nothing(
    engine: Engine,
    write: Callable[..., Path],
    tables: Callable[[], list[str]],
    terminate: Callable[[], None],
) -> None:
    directory = write({"0001_users.up.sql": "CREATE TABLE users (id int);\nSELECT pg_sleep(30);"})

    with meanwhile(terminate), pytest.raises(TargetUnreachableError) as caught:
        engine.migrate(directory)

    assert "0001_users" in caught.value.message
    assert caught.value.version == "0001"
    assert caught.value.exit_code == 3
    assert caught.value.retryable
    assert tables() == []
    assert engine.versions() == []


def test_run_after_a_lost_connection_completes(
    engine: Engine, write: Callable[..., Path], terminate: Callable[[], None]
) -> None:
    directory = write(
        {
            "0001_users.up.sql": "CREATE TABLE users (id int);",
            "0002_slow.up.sql": "SELECT pg_sleep(0.7);",
        }
    )
    with meanwhile(terminate), pytest.raises(TargetUnreachableError):
        engine.migrate(directory)
    assert engine.versions() == ["0001"]

    engine.migrate(directory)
    assert engine.versions() == ["0001", "0002"]


def test_connection_lost_half_way_says_what_is_committed(
    engine: Engine,
    write: Callable[..., Path],
    tables: Callable[[], list[str]],
    terminate: Callable[[], None],
) -> None:
    """And the next try goes on after it."""
    directory = write(
        {
            "0001_users.up.sql": "-- confiture: transaction=none\n"
            "CREATE TABLE users (id int);\nSELECT pg_sleep(30);"
        }
    )
    with meanwhile(terminate), pytest.raises(PartialApplyError) as caught:
        engine.migrate(directory)

    assert "connection broke" in caught.value.message
    assert "1 statement is committed" in caught.value.message
    assert caught.value.retryable
    assert tables() == ["users"]


def test_connection_lost_between_two_migrations_is_worth_another_try(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    from confiture_flows.migrations.observer import Observer
    from confiture_flows.migrations.plan import Step

    class Killer(Observer):
        def started(self, step: Step) -> None:
            if step.migration.version == "0002":
                conn.execute(TERMINATE)

    directory = write({"0001_users.up.sql": "", "0002_orders.up.sql": ""})
    with pytest.raises(TargetUnreachableError) as caught:
        engine.migrate(directory, observer=Killer())

    assert caught.value.retryable
    assert engine.versions() == ["0001"]


def test_serialization_failure_is_worth_another_try(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    other: psycopg.Connection,
    sessions: Callable[[], list[str]],
    tables: Callable[[], list[str]],
) -> None:
    conn.execute("CREATE TABLE known (id int); INSERT INTO known VALUES (1)")
    other.execute("UPDATE known SET id = 2")
    script = (
        "BEGIN ISOLATION LEVEL SERIALIZABLE;\nCREATE TABLE fresh (id int);\n"
        "UPDATE known SET id = 3;\nCOMMIT;"
    )

    def commit_other() -> None:
        eventually(sessions, lambda running: any("UPDATE known" in query for query in running))
        other.commit()

    with meanwhile(commit_other), pytest.raises(TransientApplyError) as caught:
        engine.limited(lock_timeout_ms=9000).migrate(write({"0001_users.up.sql": script}))

    assert caught.value.sqlstate == "40001"
    assert (caught.value.line, caught.value.statement) == (3, 3)
    assert caught.value.retryable
    assert tables() == ["known"]
    assert engine.versions() == []


def test_deadlock_is_worth_another_try(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    other: psycopg.Connection,
    tables: Callable[[], list[str]],
) -> None:
    conn.execute("CREATE TABLE a (id int); CREATE TABLE b (id int)")
    # The victim is who looks first: the run, since the other has no reason to.
    other.execute("SET deadlock_timeout = '60s'")
    other.execute("LOCK TABLE b")
    script = (
        "SET deadlock_timeout = '100ms';\nLOCK TABLE a;\nSELECT pg_sleep(0.2);\n"
        "ALTER TABLE b ADD COLUMN name text;"
    )
    closing = threading.Thread(target=lambda: other.execute("LOCK TABLE a"))

    def close_the_circle() -> None:
        eventually(
            lambda: conn.execute(
                "SELECT count(*) FROM pg_locks WHERE relation = 'a'::regclass AND granted"
            ).fetchone(),
            lambda row: row == (1,),
        )
        closing.start()

    with meanwhile(close_the_circle), pytest.raises(TransientApplyError) as caught:
        engine.limited(lock_timeout_ms=9000).migrate(write({"0001_users.up.sql": script}))
    closing.join()
    other.rollback()

    assert caught.value.sqlstate == "40P01"
    assert caught.value.retryable
    assert (caught.value.line, caught.value.statement) == (4, 4)
    assert tables() == ["a", "b"]


@pytest.mark.parametrize("ledger_exists", [False, True])
def test_read_only_target_is_told(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    ledger_exists: bool,
) -> None:
    directory = write({"0001_users.up.sql": "CREATE TABLE users (id int);"})
    if ledger_exists:
        engine.migrate(directory)
    write({"0002_orders.up.sql": "CREATE TABLE orders (id int);"})
    conn.execute(
        sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(
            sql.Identifier(conn.info.dbname)
        )
    )

    with pytest.raises(TargetError, match=f"{conn.info.dbname} on .* is read-only") as caught:
        engine.migrate(directory)

    assert caught.value.exit_code == 3
    assert caught.value.sqlstate == "25006"
    assert not caught.value.retryable
    assert caught.value.next_step == "Point the target at the primary."


def test_statement_that_takes_too_long_is_ended(
    engine: Engine, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    directory = write(
        {"0001_users.up.sql": "CREATE TABLE users (id int);\nSELECT pg_sleep(30);\nSELECT 1;"}
    )
    with pytest.raises(ApplyError, match="statement timeout") as caught:
        engine.limited(statement_timeout_ms=200).migrate(directory)

    assert caught.value.sqlstate == "57014"
    assert (caught.value.line, caught.value.statement) == (2, 2)
    assert caught.value.next_step is not None
    assert "statement_timeout_ms" in caught.value.next_step
    assert tables() == []


def test_time_limit_is_for_each_statement_alone(engine: Engine, write: Callable[..., Path]) -> None:
    directory = write({"0001_slow.up.sql": "SELECT pg_sleep(0.2);\n" * 4})

    engine.limited(statement_timeout_ms=600).migrate(directory)

    assert engine.versions() == ["0001"]


def test_query_cancelled_by_somebody_is_told(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    sessions: Callable[[], list[str]],
) -> None:
    def cancel() -> None:
        eventually(sessions, lambda running: any("pg_sleep" in query for query in running))
        conn.execute(TERMINATE.replace("terminate", "cancel").encode())

    directory = write({"0001_slow.up.sql": "SELECT pg_sleep(30);"})
    with meanwhile(cancel), pytest.raises(ApplyError, match="user request") as caught:
        engine.migrate(directory)

    assert caught.value.sqlstate == "57014"
    assert engine.versions() == []


def test_script_larger_than_the_sockets_buffer_does_not_hang(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    """psycopg 3.3 waits for ever when a pipeline's last words are stuck (its issue 685)."""
    script = f"SELECT '{'x' * 300_000}';\nSELECT repeat('y', 300000);\n" * 3
    plan = engine.plan(write({"0001_large.up.sql": script}))
    with connect(engine.target, "test") as runner:
        own = socket.socket(fileno=runner.fileno())
        own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        own.detach()
        watchdog = threading.Timer(10, lambda: conn.execute(TERMINATE))
        watchdog.start()
        apply_plan(runner, plan, limits=engine.target.limits)
        watchdog.cancel()

    assert engine.versions() == ["0001"]
