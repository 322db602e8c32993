"""What statements do is seen in the scratch database, and the target stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from confiture_flows.catalog.snapshot import take_snapshot
from confiture_flows.dryrun.report import Depth, RollbackVerdict
from confiture_flows.dryrun.sizes import tables_of
from confiture_flows.errors import LockError
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.plan import plan_forward
from confiture_flows.postgres import Server
from confiture_flows.postgres.scratch import PREFIX
from confiture_flows.sql.parts import LockMode
from confiture_flows.target import Target

from .conftest import DryRun, codes, only, statements

SHOP = """
    CREATE TABLE users (id int PRIMARY KEY, name text, age text, n int DEFAULT 0);
    CREATE TABLE orders (id serial PRIMARY KEY, user_id int NOT NULL, note text);
    CREATE INDEX orders_user ON orders (user_id);
    INSERT INTO users SELECT g, 'u' || g, (g % 90)::text FROM generate_series(1, 3000) AS g;
    INSERT INTO orders (user_id, note) SELECT 1 + g % 3000, 'x' FROM generate_series(1, 5000) AS g;
    CREATE VIEW adults AS SELECT id, name FROM users;
    ANALYZE;
"""


@pytest.fixture
def shop(conn: psycopg.Connection) -> psycopg.Connection:
    conn.execute(SHOP.encode())
    return conn


def scratches(server: Server) -> list[str]:
    with psycopg.connect(server.dsn) as admin:
        found = admin.execute("SELECT datname FROM pg_database WHERE datname ^@ %s", (PREFIX,))
        return [name for (name,) in found]


def test_locks_are_seen_and_a_held_one_is_counted_once(
    dry: DryRun, write: Callable[..., Path], shop: psycopg.Connection
) -> None:
    directory = write(
        {
            "0001_a.up.sql": "ALTER TABLE users ADD x int;\nALTER TABLE users ADD y int;\n"
            "CREATE TABLE mine (id int);\nALTER TABLE mine ADD z int;\nLOCK orders IN SHARE MODE;"
        }
    )

    report = dry(directory)

    migration = only(report)
    assert migration.table_locks == {
        ("public.users", LockMode.ACCESS_EXCLUSIVE),
        ("public.orders", LockMode.SHARE),
    }
    assert report.table_locks == 2
    first, second, *_, last = migration.statements
    assert [lock.mode for lock in first.locks if lock.kind == "table"] == [
        LockMode.ACCESS_EXCLUSIVE
    ]
    assert second.locks == ()
    assert [(lock.relation, lock.mode) for lock in last.locks] == [
        ("public.orders", LockMode.SHARE)
    ]
    (held,) = (lock for lock in first.locks if lock.kind == "table")
    assert held.held_seconds >= last.locks[0].held_seconds > 0


DEEDS = {
    "rewrite": (
        "ALTER TABLE users ALTER age TYPE int USING age::int",
        ("public.users",),
        (("public.users_pkey", "public.users"),),
        None,
    ),
    "no rewrite": ("ALTER TABLE users ALTER age TYPE varchar", (), (), ()),
    "constant default": ("ALTER TABLE users ADD x int DEFAULT 7", (), (), ()),
    "volatile default": (
        "ALTER TABLE users ADD x float8 DEFAULT random()",
        ("public.users",),
        (("public.users_pkey", "public.users"),),
        None,
    ),
    "index": (
        "CREATE INDEX users_name ON users (name)",
        (),
        (("public.users_name", "public.users"),),
        ("public.users",),
    ),
    "scan": ("ALTER TABLE users ADD CHECK (id > 0)", (), (), ("public.users",)),
    "no scan": ("ALTER TABLE users ADD CHECK (id > 0) NOT VALID", (), (), ()),
    "table of its own": ("CREATE TABLE mine (id int PRIMARY KEY)", (), (), ()),
}


@pytest.mark.parametrize(("sql", "rewrites", "indexes", "scans"), DEEDS.values(), ids=DEEDS)
def test_what_a_statement_does_is_seen(
    dry: DryRun,
    write: Callable[..., Path],
    shop: psycopg.Connection,
    sql: str,
    rewrites: tuple[str, ...],
    indexes: tuple[tuple[str, str], ...],
    scans: tuple[str, ...] | None,
) -> None:
    (done,) = statements(dry(write({"0001_a.up.sql": sql + ";"}), rows=100))

    assert (done.rewrites, done.indexes) == (rewrites, indexes)
    assert scans is None or done.scans == scans


def test_what_cannot_run_in_a_transaction_really_runs(
    dry: DryRun, write: Callable[..., Path], shop: psycopg.Connection
) -> None:
    shop.execute("CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE moods (m mood)")
    directory = write(
        {
            "0001_a.up.sql": "CREATE INDEX CONCURRENTLY users_n ON users (n);\n"
            "ALTER TYPE mood ADD VALUE 'glad';\nINSERT INTO moods VALUES ('glad');\nVACUUM users;",
            "0001_a.down.sql": "DROP INDEX CONCURRENTLY users_n;",
        }
    )

    migration = only(dry(directory))

    index, *_ = migration.statements
    assert index.indexes == (("public.users_n", "public.users"),)
    (lock,) = (lock for lock in index.locks if lock.kind == "table")
    assert (lock.mode, lock.seen) == (LockMode.SHARE_UPDATE_EXCLUSIVE, False)
    assert migration.changes is not None
    assert {change.name for change in migration.changes} == {"public.users_n", "public.mood"}
    assert migration.proof
    assert migration.proof.verdict is RollbackVerdict.DIFFERS  # an enum value cannot be taken back
    assert "CONCURRENTLY was left out" in migration.proof.note


def test_set_transaction_and_forgotten_statements_do_no_harm(
    dry: DryRun, write: Callable[..., Path], shop: psycopg.Connection
) -> None:
    directory = write(
        {
            "0001_a.up.sql": "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nDEALLOCATE ALL;\n"
            "ALTER TABLE users ADD x int;",
            "0002_b.up.sql": "ALTER TABLE users ADD y int;",
        }
    )

    report = dry(directory)

    assert report.error is None
    assert [len(each.table_locks) for each in report.migrations] == [1, 1]


def test_rows_that_are_changed_are_counted(
    dry: DryRun, write: Callable[..., Path], shop: psycopg.Connection
) -> None:
    directory = write(
        {
            "0001_a.up.sql": "UPDATE users SET n = 1 WHERE id <= 10;\n"
            "DELETE FROM orders WHERE id <= 5;\n"
            "INSERT INTO orders (user_id) SELECT id FROM users WHERE id <= 3;"
        }
    )

    updated, deleted, inserted = statements(dry(directory, rows=10_000))

    assert (updated.updated, deleted.deleted, inserted.inserted) == (10, 5, 3)


def test_failing_statement_is_told_with_its_place_and_stops_the_rehearsal(
    dry: DryRun, write: Callable[..., Path], shop: psycopg.Connection, server: Server
) -> None:
    directory = write(
        {
            "0001_a.up.sql": "SELECT 1;\nALTER TABLE users\n  ADD age int;",
            "0002_b.up.sql": "SELECT 2;",
        }
    )

    report = dry(directory)

    assert report.error is not None
    assert (report.error.version, report.error.line, report.error.sqlstate) == ("0001", 2, "42701")
    assert codes(report) == ["rehearsal.failed", "rehearsal.not_run"]
    assert report.rollback is None
    assert scratches(server) == []


@pytest.mark.parametrize("on", list(Depth))
def test_target_is_what_it_was(
    dry: DryRun, write: Callable[..., Path], shop: psycopg.Connection, on: Depth
) -> None:
    directory = write(
        {
            "0001_a.up.sql": "ALTER TABLE users ADD x int; CREATE TABLE more (id serial);"
            "INSERT INTO more DEFAULT VALUES;",
            "0001_a.down.sql": "DROP TABLE more; ALTER TABLE users DROP x;",
            "0002_b.up.sql": "INSERT INTO orders (user_id) VALUES (1);",
        }
    )

    def state() -> object:
        return (
            take_snapshot(shop),
            shop.execute("SELECT count(*), sum(user_id) FROM orders").fetchone(),
            shop.execute("SELECT last_value, is_called FROM orders_id_seq").fetchone(),
            shop.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone(),
            shop.execute("SELECT to_regclass('tb_confiture')::text").fetchone(),
        )

    before = state()
    report = dry(directory, on=on)

    assert report.error is None
    assert state() == before


def test_what_the_scratch_server_lacks_is_unknown_and_told(
    dry: DryRun, write: Callable[..., Path], rehearsed: Target, shop: psycopg.Connection
) -> None:
    nowhere = replace(rehearsed, scratch=make_conninfo("host=127.0.0.1 port=9"))

    report = dry(write({"0001_a.up.sql": "CREATE INDEX i ON users (name);"}), target=nowhere)

    assert report.place == ""
    assert "It was not rehearsed. Nothing answers" in report.unknown[0]
    (done,) = statements(report)
    assert done.seconds is None
    assert [(lock.mode, lock.seen) for lock in done.locks] == [(LockMode.SHARE, False)]


def test_what_reaches_beyond_the_scratch_database_is_not_run(
    dry: DryRun, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    directory = write(
        {"0001_a.up.sql": "CREATE TABLE a (id int);", "0002_b.up.sql": "CREATE ROLE confiture_no;"}
    )

    report = dry(directory)

    first, second = report.migrations
    assert first.seconds is not None
    assert second.not_run == "0002_b creates a role (line 1)"
    assert conn.execute("SELECT FROM pg_roles WHERE rolname = 'confiture_no'").fetchone() is None


def test_private_server_rehearses_with_the_roles_and_rights_of_the_target(
    dry: DryRun, write: Callable[..., Path], target: Target, shop: psycopg.Connection
) -> None:
    shop.execute("GRANT SELECT ON users TO pg_monitor")
    directory = write(
        {
            "0001_a.up.sql": "REVOKE SELECT ON users FROM pg_monitor; CREATE ROLE brand_new;",
            "0001_a.down.sql": "GRANT SELECT ON users TO pg_monitor; DROP ROLE brand_new;",
        }
    )

    report = dry(directory, target=target)
    if not report.place:
        pytest.skip(report.unknown[0])

    assert report.unknown == ()
    assert [(each.action, each.kind) for each in only(report).changes or ()] == [
        ("removed", "grant")
    ]
    assert only(report).proof
    assert report.rollback
    assert report.rollback.verdict is RollbackVerdict.PROVEN


def test_python_migration_is_rehearsed_as_one_statement(
    dry: DryRun, write: Callable[..., Path], shop: psycopg.Connection
) -> None:
    directory = write(
        {
            "0001_a.py": "def up(conn):\n    conn.execute('ALTER TABLE users ADD x int')\n\n\n"
            "def down(conn):\n    conn.execute('ALTER TABLE users DROP x')\n"
        }
    )

    migration = only(dry(directory))

    assert migration.table_locks == {("public.users", LockMode.ACCESS_EXCLUSIVE)}
    assert migration.proof
    assert migration.proof.verdict is RollbackVerdict.PROVEN


def test_rollback_is_looked_at_too(
    dry: DryRun, write: Callable[..., Path], rehearsed: Target, conn: psycopg.Connection
) -> None:
    from confiture_flows.migrations.apply import apply_plan
    from confiture_flows.migrations.discovery import discover
    from confiture_flows.migrations.plan import plan_forward
    from confiture_flows.target import connect

    directory = write(
        {"0001_a.up.sql": "CREATE TABLE a (id int);", "0001_a.down.sql": "DROP TABLE a;"}
    )
    with connect(rehearsed, "test") as session:
        migrations = discover(directory).migrations
        apply_plan(session, plan_forward(migrations, ()), limits=rehearsed.limits)
    conn.execute("INSERT INTO a VALUES (1)")

    migration = only(dry(directory, back=True))

    assert [(each.action, each.name) for each in migration.changes or ()] == [
        ("removed", "public.a")
    ]
    assert migration.table_locks == {("public.a", LockMode.ACCESS_EXCLUSIVE)}
    assert conn.execute("SELECT count(*) FROM a").fetchone() == (1,)


def test_session_that_is_in_the_way_now_is_named(
    dry: DryRun, write: Callable[..., Path], shop: psycopg.Connection, dsn: str
) -> None:
    directory = write({"0001_a.up.sql": "ALTER TABLE users ADD x int;"})
    with psycopg.connect(dsn, application_name="nightly report") as other:
        other.execute("SELECT count(*) FROM users")

        report = dry(directory)

    (found,) = report.sessions
    assert (found.relation, found.mode, found.holds) == (
        "public.users",
        LockMode.ACCESS_EXCLUSIVE,
        LockMode.ACCESS_SHARE,
    )
    assert found.blocker.application == "nightly report"
    assert "impact.in_the_way" in codes(report)


def test_a_table_that_somebody_keeps_locked_is_said_and_not_waited_for(
    write: Callable[..., Path], shop: psycopg.Connection, dsn: str
) -> None:
    directory = write({"0001_a.up.sql": "ALTER TABLE users ADD x int;"})
    steps = plan_forward(discover(directory).migrations, ()).steps
    shop.execute("SET lock_timeout = '100ms'")
    with psycopg.connect(dsn) as other:
        other.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")

        tables, unknown = tables_of(shop, steps, wait_ms=100)
        with pytest.raises(LockError, match=r"another session keeps public\.users locked"):
            take_snapshot(shop)

    assert not tables
    (said,) = unknown
    assert "keeps public.users locked" in said
