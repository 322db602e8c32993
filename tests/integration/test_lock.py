"""One run at a time on a database, fraiseql-confiture's runs included."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from confiture_flows.errors import ApplyError, LockError
from confiture_flows.migrations.lock import run_lock
from confiture_flows.migrations.observer import Observer
from confiture_flows.migrations.plan import Plan, Step
from confiture_flows.target import connect

from .conftest import Engine

ONE = {"0001_users.up.sql": "CREATE TABLE users (id int);"}


def fraiseql_key(database: str) -> int:
    """As that tool computes it, written down independently."""
    digest = hashlib.sha256(database.encode("utf-8")).hexdigest()
    return int(digest[:8], 16) % 2**31


def held(conn: psycopg.Connection) -> list[tuple[int, int]]:
    """The two-part advisory locks on this database."""
    return conn.execute(
        "SELECT classid::bigint, objid::bigint FROM pg_locks"
        " WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND database ="
        " (SELECT oid FROM pg_database WHERE datname = current_database())"
    ).fetchall()


class Watcher(Observer):
    """Keeps what it hears of waiting, and what `look` sees while a step runs."""

    def __init__(self, look: Callable[[], object] = lambda: None) -> None:
        self.look = look
        self.seen: list[object] = []
        self.holders: list[str] = []

    def started(self, step: Step) -> None:
        self.seen.append(self.look())

    def waiting(self, holder: str) -> None:
        self.holders.append(holder)


def test_run_holds_the_key_of_fraiseql_confiture(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    watcher = Watcher(lambda: held(conn))

    engine.migrate(write(ONE), observer=watcher)

    assert watcher.seen == [[(1751936052, fraiseql_key(conn.info.dbname))]]
    assert held(conn) == []


def test_run_that_waits_too_long_names_the_holder(
    engine: Engine,
    write: Callable[..., Path],
    other: psycopg.Connection,
    tables: Callable[[], list[str]],
) -> None:
    other.execute("SET application_name = 'the other tool'")
    other.execute("SELECT pg_advisory_lock(1751936052, %s)", (fraiseql_key(other.info.dbname),))
    watcher = Watcher()

    with pytest.raises(LockError, match=r"the other tool.*Waited 0\.4 s") as caught:
        engine.migrate(write(ONE), observer=watcher)

    assert str(other.info.backend_pid) in caught.value.message
    assert caught.value.exit_code == 6
    assert caught.value.retryable
    assert len(watcher.holders) == 1
    assert "the other tool" in watcher.holders[0]
    assert tables() == []


def test_run_starts_as_soon_as_the_other_ends(
    engine: Engine, write: Callable[..., Path], other: psycopg.Connection
) -> None:
    key = fraiseql_key(other.info.dbname)
    other.execute("SELECT pg_advisory_lock(1751936052, %s)", (key,))
    release = threading.Timer(
        0.3, lambda: other.execute("SELECT pg_advisory_unlock(1751936052, %s)", (key,))
    )
    release.start()

    engine.limited(lock_patience=10).migrate(write(ONE))

    release.join()
    assert engine.versions() == ["0001"]


def test_lock_of_another_database_is_no_hindrance(
    engine: Engine,
    write: Callable[..., Path],
    new_database: Callable[[], str],
    conn: psycopg.Connection,
) -> None:
    with psycopg.connect(new_database()) as elsewhere:
        elsewhere.execute(
            "SELECT pg_advisory_lock(1751936052, %s)", (fraiseql_key(conn.info.dbname),)
        )
        engine.migrate(write(ONE))

    assert engine.versions() == ["0001"]


def test_lock_ends_with_a_failed_run(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    plan = engine.plan(write({"0001_users.up.sql": "SELECT 1 / 0;"}))
    with connect(engine.target, "test") as runner:
        from confiture_flows.migrations.apply import apply_plan

        with pytest.raises(ApplyError):
            apply_plan(runner, plan, limits=engine.target.limits)

        assert held(conn) == []


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT pg_advisory_unlock_all();",
        "SELECT pg_advisory_unlock(1751936052, {key}), pg_advisory_unlock(1751936052, {key});",
    ],
)
def test_file_that_gives_up_the_lock_is_rolled_back(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    tables: Callable[[], list[str]],
    statement: str,
) -> None:
    unlock = statement.format(key=fraiseql_key(conn.info.dbname))
    directory = write({"0001_users.up.sql": f"CREATE TABLE users (id int);\n{unlock}"})

    with pytest.raises(ApplyError, match="gave up the run's advisory lock") as caught:
        engine.migrate(directory)

    assert caught.value.file == directory / "0001_users.up.sql"
    assert not caught.value.retryable
    assert tables() == []
    assert engine.versions() == []


def test_lock_given_up_on_the_way_back_is_rolled_back(
    engine: Engine, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    directory = write(
        ONE | {"0001_users.down.sql": "DROP TABLE users; SELECT pg_advisory_unlock_all();"}
    )
    engine.migrate(directory)

    with pytest.raises(ApplyError, match="gave up"):
        engine.rollback(directory)

    assert tables() == ["users"]
    assert engine.versions() == ["0001"]


def test_file_that_takes_a_lock_of_its_own_is_fine(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    sql = "SELECT pg_advisory_lock(42); SELECT pg_advisory_xact_lock(1, 2);"

    engine.migrate(write({"0001_users.up.sql": sql}))

    assert engine.versions() == ["0001"]


def test_what_an_observer_raises_ends_the_run_with_nothing_open(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    tables: Callable[[], list[str]],
) -> None:
    class Stop(Observer):
        def begin(self, plan: Plan) -> None:
            raise RuntimeError("stop here")

    with pytest.raises(RuntimeError, match="stop here"):
        engine.migrate(write(ONE), observer=Stop())

    assert held(conn) == []
    assert tables() == []


def test_tick_is_heard_while_a_run_waits(engine: Engine, other: psycopg.Connection) -> None:
    """What cancels a run from outside is looked at in tick()."""
    other.execute("SELECT pg_advisory_lock(1751936052, %s)", (fraiseql_key(other.info.dbname),))

    class Stop(Exception):
        pass

    def stop() -> None:
        raise Stop

    with (
        connect(engine.target, "test") as conn,
        pytest.raises(Stop),
        run_lock(conn, 60, on_tick=stop),
    ):
        pytest.fail("the lock is somebody else's")
