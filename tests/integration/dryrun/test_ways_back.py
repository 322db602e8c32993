"""Up, down, compare: each verdict, what is lost on the way, and the whole plan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from confiture_flows.dryrun.report import RollbackVerdict

from .conftest import DryRun, codes, only

WAYS = {
    "proven": ("CREATE INDEX i ON t (b)", "DROP INDEX i", RollbackVerdict.PROVEN),
    "order": ("ALTER TABLE t DROP b", "ALTER TABLE t ADD b text", RollbackVerdict.COLUMN_ORDER),
    "differs": ("ALTER TABLE t DROP c", "ALTER TABLE t ADD c int", RollbackVerdict.DIFFERS),
    "fails": ("CREATE INDEX i ON t (b)", "DROP INDEX j", RollbackVerdict.FAILS),
    "deferred": (
        "ALTER TABLE t ADD UNIQUE (a) DEFERRABLE INITIALLY DEFERRED",
        "INSERT INTO t VALUES (1), (1)",
        RollbackVerdict.FAILS,
    ),
    "not SQL": ("CREATE INDEX i ON t (b)", "DROP INDEX INDEX i", RollbackVerdict.FAILS),
    "none": ("CREATE INDEX i ON t (b)", None, RollbackVerdict.NO_DOWN),
    "concurrently": (
        "CREATE INDEX CONCURRENTLY i ON t (b)",
        "DROP INDEX CONCURRENTLY i",
        RollbackVerdict.PROVEN,
    ),
    "vacuum": ("CREATE INDEX i ON t (b)", "DROP INDEX i; VACUUM t", RollbackVerdict.PROVEN),
    "function": (
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DROP FUNCTION f",
        RollbackVerdict.PROVEN,
    ),
    "function body": (
        "CREATE OR REPLACE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 2'",
        "SELECT 1",
        RollbackVerdict.DIFFERS,
    ),
    "schema": (
        "CREATE SCHEMA s; CREATE TABLE s.x ()",
        "DROP SCHEMA s CASCADE",
        RollbackVerdict.PROVEN,
    ),
    "renamed": (
        "ALTER TABLE t RENAME b TO d; ALTER TABLE t RENAME TO u",
        "ALTER TABLE u RENAME TO t",
        RollbackVerdict.DIFFERS,
    ),
    "by hand": (
        "DO $$ BEGIN CREATE TABLE made (); END $$",
        "DO $$ BEGIN DROP TABLE made; END $$",
        RollbackVerdict.PROVEN,
    ),
    "comment": (
        "COMMENT ON COLUMN t.a IS 'x'",
        "COMMENT ON COLUMN t.a IS 'y'",
        RollbackVerdict.DIFFERS,
    ),
    "sequence": ("ALTER TABLE t ADD s serial", "ALTER TABLE t DROP s", RollbackVerdict.PROVEN),
    "cascade": ("CREATE VIEW w AS TABLE t", "DROP TABLE t CASCADE", RollbackVerdict.DIFFERS),
}


@pytest.fixture
def table(conn: psycopg.Connection) -> psycopg.Connection:
    conn.execute(
        "CREATE TABLE t (a int, b text, c int DEFAULT 7);"
        "CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1'"
    )
    return conn


@pytest.mark.parametrize(("up", "down", "verdict"), WAYS.values(), ids=WAYS)
def test_way_back_is_judged(
    dry: DryRun,
    write: Callable[..., Path],
    table: psycopg.Connection,
    up: str,
    down: str | None,
    verdict: RollbackVerdict,
) -> None:
    files = {"0001_a.up.sql": up + ";"} | ({"0001_a.down.sql": down + ";"} if down else {})

    report = dry(write(files))

    proof = only(report).proof
    assert proof
    assert proof.verdict is verdict
    assert report.rollback
    assert report.rollback.verdict is verdict
    assert bool(proof.changes) is (
        verdict in (RollbackVerdict.DIFFERS, RollbackVerdict.COLUMN_ORDER)
    )
    assert bool(proof.error) is (verdict is RollbackVerdict.FAILS)


def test_way_back_starts_from_what_its_migration_made_and_leaves_it_to_the_next(
    dry: DryRun, write: Callable[..., Path], table: psycopg.Connection
) -> None:
    directory = write(
        {
            "0001_a.up.sql": "ALTER TABLE t ADD x int;",
            "0001_a.down.sql": "ALTER TABLE t DROP x; SET search_path = nowhere; DROP TABLE none;",
            "0002_b.up.sql": "ALTER TABLE t ADD y int; UPDATE t SET y = x;",
            "0002_b.down.sql": "ALTER TABLE t DROP y;",
        }
    )

    report = dry(directory)

    first, second = (migration.proof for migration in report.migrations)
    assert first
    assert first.error
    assert (first.verdict, first.error.sqlstate) == (RollbackVerdict.FAILS, "42P01")
    assert second
    assert second.verdict is RollbackVerdict.PROVEN
    assert report.rollback
    assert (report.rollback.verdict, report.rollback.version) == (RollbackVerdict.FAILS, "0001")
    assert codes(report) == ["rollback.fails", "rollback.plan"]


def test_way_back_in_python_is_gone_and_the_way_up_once_more(
    dry: DryRun, write: Callable[..., Path], table: psycopg.Connection
) -> None:
    directory = write(
        {
            "0001_a.py": "def up(conn):\n    conn.execute('ALTER TABLE t ADD x int')\n\n\n"
            "def down(conn):\n    conn.execute('ALTER TABLE t DROP c, DROP x')\n",
            "0002_b.up.sql": "UPDATE t SET x = 1;",
            "0002_b.down.sql": "UPDATE t SET x = NULL;",
        }
    )

    first, second = dry(directory).migrations

    assert first.proof
    assert [change.name for change in first.proof.changes] == ["public.t.c"]
    assert second.error is None


def test_data_that_a_way_back_loses_is_told(
    dry: DryRun, write: Callable[..., Path], table: psycopg.Connection
) -> None:
    table.execute("INSERT INTO t SELECT g, 'b', g FROM generate_series(1, 50) AS g; ANALYZE t")
    directory = write(
        {
            "0001_a.up.sql": "ALTER TABLE t ADD d int; UPDATE t SET d = a WHERE a <= 20;"
            'ALTER TABLE t ADD "e.f" int; UPDATE t SET "e.f" = 1 WHERE a <= 10;'
            "CREATE TABLE copy AS SELECT * FROM t; ALTER TABLE t DROP b;",
            "0001_a.down.sql": "ALTER TABLE t ADD b text; DELETE FROM t WHERE a > 45;"
            'DROP TABLE copy; ALTER TABLE t DROP d, DROP "e.f";',
        }
    )

    report = dry(directory, rows=1000)

    proof = only(report).proof
    assert proof
    assert {(loss.name, loss.what, loss.values) for loss in proof.losses} == {
        ("public.copy", "dropped", 50),
        ("public.t.d", "dropped", 20),
        ('public.t."e.f"', "dropped", 10),
        ("public.t.b", "emptied", 50),
        ("rows", "deleted", 5),
    }
    assert codes(report).count("rollback.loses_data") == 5


def test_repeatable_migrations_have_no_way_back_and_stay(
    dry: DryRun, write: Callable[..., Path], table: psycopg.Connection
) -> None:
    directory = write(
        {
            "0001_a.up.sql": "CREATE TABLE a ();",
            "0001_a.down.sql": "DROP TABLE a;",
            "R__view.sql": "CREATE OR REPLACE VIEW v AS SELECT 1 AS one;",
        }
    )

    report = dry(directory)

    assert report.rollback
    assert "1 repeatable stay as they are" in report.rollback.note
    assert [change.name for change in report.rollback.changes] == ["public.v"]


def test_no_proof_is_not_made_when_not_asked_for(
    dry: DryRun, write: Callable[..., Path], table: psycopg.Connection
) -> None:
    directory = write({"0001_a.up.sql": "CREATE TABLE a ();", "0001_a.down.sql": "DROP TABLE a;"})

    report = dry(directory, prove=False)

    assert (only(report).changes, only(report).proof, report.rollback) == (None, None, None)
    assert len(only(report).statements) == 1
