"""Who is in the way of a migration is named, while it waits and when it gives up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from confiture_flows.errors import (
    LockError,
    PartialApplyError,
    ResumableApplyError,
    TargetUnreachableError,
)
from confiture_flows.migrations import patience
from confiture_flows.migrations.apply import apply_plan
from confiture_flows.migrations.lookout import another_connection
from confiture_flows.migrations.observer import Busy, HeldUp, Observer
from confiture_flows.target import connect
from tests.support import eventually

from .conftest import Engine, Role

ALTER = {"0001_users.up.sql": "ALTER TABLE busy ADD COLUMN name text;\n"}
CONCURRENT = {"0001_index.up.sql": "CREATE INDEX CONCURRENTLY busy_id ON busy (id);\n"}


class Watcher(Observer):
    """Keeps what it hears of waits."""

    def __init__(self) -> None:
        self.busies: list[Busy] = []
        self.waits: list[HeldUp] = []
        self.then: Callable[[], object] = lambda: None
        self.when_busy: Callable[[], object] = lambda: None

    def busy(self, busy: Busy) -> None:
        self.busies.append(busy)
        self.when_busy()

    def held_up(self, held_up: HeldUp) -> None:
        self.waits.append(held_up)
        self.then()


@pytest.fixture
def held(conn: psycopg.Connection, other: psycopg.Connection) -> psycopg.Connection:
    """A session that has read the table, with a value in its query that is nobody's business."""
    conn.execute("CREATE TABLE busy (id int)")
    other.execute("SET application_name = 'night report'")
    other.execute("SELECT * FROM busy WHERE id::text = 'private'")
    return other


def test_session_in_the_way_is_named_from_the_second_try_on(
    engine: Engine, write: Callable[..., Path], held: psycopg.Connection
) -> None:
    watcher = Watcher()

    with pytest.raises(LockError) as caught:
        engine.limited(busy_patience=1.0).migrate(write(ALTER), observer=watcher)

    assert watcher.busies[0].blockers == ()
    pid = held.info.backend_pid
    for busy in watcher.busies[1:]:
        (blocker,) = busy.blockers
        assert (blocker.pid, blocker.application) == (pid, "night report")
        assert blocker.user == held.info.user
        assert blocker.state == "idle in transaction"
        assert blocker.since is not None
        assert blocker.query == "SELECT * FROM busy WHERE id::text …"
    assert len(watcher.busies) > 1
    assert f"In the way: backend {pid} (night report" in caught.value.message
    assert caught.value.next_step
    assert f"SELECT pg_terminate_backend({pid});" in caught.value.next_step
    assert "private" not in str(caught.value)


def test_other_users_doings_are_said_to_be_hidden(
    engine: Engine,
    write: Callable[..., Path],
    held: psycopg.Connection,
    conn: psycopg.Connection,
    new_role: Callable[[], Role],
) -> None:
    role = new_role()
    held.rollback()
    conn.execute(sql.SQL("ALTER TABLE busy OWNER TO {}").format(sql.Identifier(role.name)))
    conn.execute("GRANT ALL ON SCHEMA public TO public")
    held.execute("SELECT * FROM busy")
    limited = Engine(replace(engine.target, dsn=role.dsn)).limited(busy_patience=0.6)

    with pytest.raises(LockError, match="whose doings only pg_read_all_stats shows") as caught:
        limited.migrate(write(ALTER))
    held.rollback()  # the role cannot be dropped before

    assert f"backend {held.info.backend_pid}" in caught.value.message
    assert "privilege>" not in caught.value.message


@pytest.fixture
def writing(held: psycopg.Connection) -> psycopg.Connection:
    """The same, and it has written: a concurrent build waits for such transactions."""
    held.execute("INSERT INTO busy VALUES (1)")
    return held


def counted(engine: Engine) -> tuple[list[float], Callable[[], AbstractContextManager]]:
    """How often a second connection was opened, and the opener that counts."""
    opened: list[float] = []
    opener = another_connection(engine.target)

    @contextmanager
    def another() -> Iterator[psycopg.Connection]:
        opened.append(time.monotonic())
        with opener() as second:
            yield second

    return opened, another


def test_run_that_nobody_disturbs_opens_one_connection(
    engine: Engine, write: Callable[..., Path]
) -> None:
    opened, another = counted(engine)
    plan = engine.plan(
        write({"0001_a.up.sql": "CREATE TABLE a (i int);", "0002_b.up.sql": "SELECT pg_sleep(1);"})
    )
    with connect(engine.target, "test") as conn:
        apply_plan(conn, plan, limits=engine.target.limits, another=another)

    assert opened == []


def test_busy_migration_opens_one_more_and_gives_it_back(
    engine: Engine,
    write: Callable[..., Path],
    held: psycopg.Connection,
    conn: psycopg.Connection,
) -> None:
    opened, another = counted(engine)
    plan = engine.plan(write(ALTER))
    with connect(engine.target, "test") as runner:
        with pytest.raises(LockError, match="night report"):
            apply_plan(runner, plan, limits=engine.target.limits, another=another)
        looking = conn.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%look'"
            " AND datname = current_database()"
        ).fetchone()

    assert len(opened) == 1
    assert looking == (0,)


def test_no_connection_left_to_look_from_is_no_hindrance(
    engine: Engine, write: Callable[..., Path], held: psycopg.Connection
) -> None:
    tried: list[float] = []

    def another() -> AbstractContextManager[psycopg.Connection]:
        tried.append(time.monotonic())
        raise TargetUnreachableError("sorry, too many clients already")

    plan = engine.plan(write(ALTER))
    with (
        connect(engine.target, "test") as runner,
        pytest.raises(LockError, match="met a busy table") as caught,
    ):
        apply_plan(runner, plan, limits=engine.target.limits, another=another)

    assert len(tried) == 1
    assert "In the way" not in caught.value.message
    assert "pg_stat_activity" in (caught.value.next_step or "")


def test_pause_ends_when_the_transaction_in_the_way_does(
    engine: Engine,
    write: Callable[..., Path],
    held: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The first try sees nobody yet.
    monkeypatch.setattr(patience, "_length_of_pause", lambda attempt: 0 if attempt == 1 else 60)
    watcher = Watcher()
    watcher.when_busy = lambda: held.rollback() if len(watcher.busies) == 2 else None
    started = time.monotonic()

    engine.limited(busy_patience=100).migrate(write(ALTER), observer=watcher)

    assert [busy.pause for busy in watcher.busies] == [0, 60]
    assert time.monotonic() - started < 45


def test_queue_grows_longer_while_transactions_come_and_go(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    dsn: str,
) -> None:
    """Transactions of 0.4 s, one after the other begun before the last ends: 0.1 s is too short."""
    conn.execute("CREATE TABLE busy (id int)")
    over = threading.Event()

    def keep_busy(delay: float) -> None:
        time.sleep(delay)
        with psycopg.connect(dsn) as own:
            while not over.is_set():
                own.execute("SELECT * FROM busy")
                time.sleep(0.4)
                own.rollback()

    threads = [threading.Thread(target=keep_busy, args=(delay,)) for delay in (0.0, 0.2)]
    for thread in threads:
        thread.start()
    try:
        engine.limited(busy_patience=30).migrate(write(ALTER))
    finally:
        over.set()
        for thread in threads:
            thread.join()

    assert engine.versions() == ["0001"]


def test_index_build_says_whom_it_waits_for(
    engine: Engine, write: Callable[..., Path], writing: psycopg.Connection
) -> None:
    watcher = Watcher()
    watcher.then = writing.rollback

    engine.limited(busy_patience=20).migrate(write(CONCURRENT), observer=watcher)

    (told,) = watcher.waits
    assert told.step.migration.version == "0001"
    assert [each.pid for each in told.blockers] == [writing.info.backend_pid]
    assert engine.versions() == ["0001"]


def test_index_build_that_waits_for_too_long_is_ended(
    engine: Engine,
    write: Callable[..., Path],
    writing: psycopg.Connection,
    conn: psycopg.Connection,
) -> None:
    directory = write(CONCURRENT)

    with pytest.raises((ResumableApplyError, LockError), match="In the way: backend") as caught:
        engine.limited(busy_patience=1.0).migrate(directory)

    assert caught.value.retryable
    assert str(writing.info.backend_pid) in (caught.value.next_step or "")
    writing.rollback()
    engine.migrate(directory)
    valid = conn.execute(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = 'busy_id'::regclass"
    ).fetchall()
    assert valid == [(True,)]


def test_time_in_which_an_index_is_built_does_not_count_as_waiting(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    conn.execute(
        "CREATE TABLE busy (id int); INSERT INTO busy SELECT generate_series(1, 20);"
        "CREATE FUNCTION slow(int) RETURNS int IMMUTABLE LANGUAGE plpgsql"
        " AS 'BEGIN PERFORM pg_sleep(0.15); RETURN $1; END'"
    )
    build = {"0001_index.up.sql": "CREATE INDEX CONCURRENTLY busy_slow ON busy (slow(id));"}

    engine.limited(busy_patience=0.2).migrate(write(build))

    assert engine.versions() == ["0001"]


def test_what_an_observer_raises_while_a_statement_waits_ends_the_run(
    engine: Engine,
    write: Callable[..., Path],
    writing: psycopg.Connection,
    sessions: Callable[[], list[str]],
) -> None:
    class Stop(Exception):
        pass

    def stop() -> None:
        raise Stop

    watcher = Watcher()
    watcher.then = stop
    with pytest.raises((Stop, PartialApplyError)):
        engine.limited(busy_patience=20).migrate(write(CONCURRENT), observer=watcher)

    assert eventually(sessions, lambda found: not found) == []
