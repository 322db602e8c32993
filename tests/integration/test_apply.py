"""A migration and its ledger row commit together, or neither does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from confiture_flows.errors import (
    ApplyError,
    LedgerError,
    LockError,
    MigrationFileError,
    TransientApplyError,
)
from confiture_flows.migrations.checksum import file_checksum
from confiture_flows.migrations.ledger import LedgerRow
from confiture_flows.migrations.observer import Observer
from confiture_flows.migrations.plan import Step

from .conftest import Engine

THREE = {
    "0001_users.up.sql": "CREATE TABLE users (id int PRIMARY KEY);",
    "0002_orders.up.sql": "CREATE TABLE orders (id int PRIMARY KEY);\nSELECT 1 / 0;",
    "0003_items.up.sql": "CREATE TABLE items (id int);",
}


def test_failed_migration_leaves_neither_row_nor_objects(
    engine: Engine, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    with pytest.raises(ApplyError):
        engine.migrate(write(THREE))

    assert engine.versions() == ["0001"]
    assert tables() == ["users"]


def test_next_run_goes_on_where_the_failed_one_stopped(
    engine: Engine, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    directory = write(THREE)
    with pytest.raises(ApplyError):
        engine.migrate(directory)

    write({"0002_orders.up.sql": "CREATE TABLE orders (id int);"})
    done = engine.migrate(directory)

    assert [row.version for row in done] == ["0002", "0003"]
    assert tables() == ["items", "orders", "users"]


def test_row_says_what_was_applied(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    directory = write({"0001_users.up.sql": "SELECT pg_sleep(0.03);"})

    (row,) = engine.migrate(directory)

    assert (row.version, row.name) == ("0001", "users")
    assert row.checksum == file_checksum(directory / "0001_users.up.sql")
    assert row.execution_time_ms is not None
    assert 30 <= row.execution_time_ms < 5000
    assert row.applied_by == conn.info.user
    assert row.archived_into is None
    assert engine.rows() == (row,)


def test_row_is_visible_exactly_when_its_objects_are(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    seen: list[tuple[object, ...] | None] = []

    class Looker(Observer):
        def started(self, step: Step) -> None:
            self.look()

        def finished(self, step: Step, row: LedgerRow) -> None:
            self.look()

        def look(self) -> None:
            found = conn.execute(
                "SELECT to_regclass('users') IS NOT NULL, (SELECT count(*) FROM tb_confiture)"
            )
            seen.append(found.fetchone())

    engine.migrate(write({"0001_users.up.sql": "CREATE TABLE users (id int);"}), observer=Looker())

    assert seen == [(False, 0), (True, 1)]


def test_same_plan_applied_twice_skips_what_is_done(
    engine: Engine, write: Callable[..., Path]
) -> None:
    plan = engine.plan(write({"0001_users.up.sql": "CREATE TABLE users (id int);"}))

    first = engine.apply(plan)
    second = engine.apply(plan)

    assert first == second == engine.rows()


def test_plan_without_steps_touches_nothing(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    plan = engine.plan_back(write({"0001_users.up.sql": ""}), "zero")

    assert engine.apply(plan) == ()
    row = conn.execute("SELECT to_regclass('tb_confiture')").fetchone()
    assert row == (None,)


@pytest.mark.parametrize("change", ["edited", "removed"])
def test_file_changed_between_plan_and_apply_is_not_run(
    engine: Engine, write: Callable[..., Path], tables: Callable[[], list[str]], change: str
) -> None:
    directory = write(
        {
            "0001_users.up.sql": "CREATE TABLE users (id int);",
            "0002_orders.up.sql": "CREATE TABLE orders (id int);",
        }
    )
    plan = engine.plan(directory)
    second = directory / "0002_orders.up.sql"
    if change == "edited":
        second.write_text("CREATE TABLE else_ (id int);")
    else:
        second.unlink()

    with pytest.raises(MigrationFileError, match="0002_orders was edited or removed") as caught:
        engine.apply(plan)

    assert caught.value.file == second
    assert tables() == ["users"]
    assert engine.versions() == ["0001"]


def test_ledger_that_lost_a_row_since_the_plan_stops_the_run(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    tables: Callable[[], list[str]],
) -> None:
    directory = write({"0001_users.up.sql": "CREATE TABLE users (id int);"})
    engine.migrate(directory)
    write({"0002_orders.up.sql": "CREATE TABLE orders (id int);"})
    plan = engine.plan(directory)
    conn.execute("DELETE FROM tb_confiture")

    with pytest.raises(LedgerError, match=r"changed the ledger.*0001"):
        engine.apply(plan)

    assert tables() == ["users"]


def test_unique_version_is_the_last_line_of_defence(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    tables: Callable[[], list[str]],
) -> None:
    """Another tool that takes no lock has written the row behind our back."""
    directory = write({"0001_users.up.sql": "CREATE TABLE users (id int);"})

    class Intruder(Observer):
        def started(self, step: Step) -> None:
            conn.execute(
                "INSERT INTO tb_confiture (slug, version, name) VALUES ('x', '0001', 'users')"
            )

    with pytest.raises(LockError, match="Another run has applied 0001_users") as caught:
        engine.migrate(directory, observer=Intruder())

    assert caught.value.retryable
    assert tables() == []
    assert [row.checksum for row in engine.rows()] == [None]


def test_deferred_constraint_that_fails_at_commit_rolls_back(
    engine: Engine, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    sql = """
        CREATE TABLE users (id int PRIMARY KEY);
        CREATE TABLE orders (
            user_id int REFERENCES users DEFERRABLE INITIALLY DEFERRED
        );
        INSERT INTO orders VALUES (7);
    """
    with pytest.raises(ApplyError, match="violates foreign key") as caught:
        engine.migrate(write({"0001_users.up.sql": sql}))

    assert caught.value.sqlstate == "23503"
    assert "(user_id)=(...)" in caught.value.message
    assert "found at commit" in caught.value.message
    assert tables() == []
    assert engine.versions() == []


def test_deferred_unique_constraint_is_not_taken_for_another_run(
    engine: Engine, write: Callable[..., Path]
) -> None:
    sql = """
        CREATE TABLE users (id int UNIQUE DEFERRABLE INITIALLY DEFERRED);
        INSERT INTO users VALUES (7), (7);
    """
    with pytest.raises(ApplyError, match="users_id_key") as caught:
        engine.migrate(write({"0001_users.up.sql": sql}))

    assert caught.value.sqlstate == "23505"
    assert not caught.value.retryable


def test_serialization_failure_at_commit_is_worth_another_try(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    """A deferred trigger stands for what PostgreSQL itself finds out only at COMMIT."""
    conn.execute(
        """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE SQLSTATE '40001' USING MESSAGE = 'could not serialize'; END $$;
        CREATE TABLE users (id int);
        CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON users
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse();
        """
    )
    with pytest.raises(TransientApplyError) as caught:
        engine.migrate(write({"0001_users.up.sql": "INSERT INTO users VALUES (1);"}))

    assert caught.value.retryable
    assert caught.value.sqlstate == "40001"
    assert caught.value.version == "0001"
