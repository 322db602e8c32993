"""On the target: never committed, whatever the file tries; what survives a rollback is not run."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from confiture_flows.dryrun import on_target
from confiture_flows.dryrun.on_target import rehearse_on_target
from confiture_flows.dryrun.report import TargetRehearsal
from confiture_flows.errors import ConfitureFlowsError, RehearsalError
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.plan import plan_forward
from confiture_flows.target import Target, connect

Visit = Callable[..., TargetRehearsal]


@pytest.fixture
def visit(rehearsed: Target, write: Callable[..., Path], conn: psycopg.Connection) -> Visit:
    conn.execute("CREATE TABLE t (id serial, n int); INSERT INTO t (n) VALUES (1)")

    def run(*scripts: str, as_written: bool = False, budget: float = 2.0) -> TargetRehearsal:
        files = {f"{at:04}_m.up.sql": text for at, text in enumerate(scripts, 1)}
        migrations = discover(write(files), as_written=as_written).migrations
        return rehearse_on_target(plan_forward(migrations, ()), rehearsed, budget=budget)

    return run


@pytest.fixture
def unchanged(conn: psycopg.Connection) -> Callable[[], bool]:
    def is_so() -> bool:
        columns = conn.execute(
            "SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute"
            " WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attisdropped"
        ).fetchone()
        rows = conn.execute("SELECT count(*), (SELECT last_value FROM t_id_seq) FROM t").fetchone()
        made = conn.execute("SELECT to_regclass('made')::text").fetchone()
        return (columns, rows, made) == (("id,n",), (1, 1), (None,))

    return is_so


def test_plan_runs_and_is_rolled_back(visit: Visit, unchanged: Callable[[], bool]) -> None:
    seen = visit(
        "ALTER TABLE t ADD x int DEFAULT 1;",
        "CREATE TABLE made (id serial); INSERT INTO made DEFAULT VALUES; TRUNCATE t;",
    )

    assert (seen.migrations, seen.stopped, seen.refused) == (("0001_m", "0002_m"), "", ())
    assert (seen.survived, seen.error) == ((), None)
    assert unchanged()


ESCAPES = {
    "COMMIT in the file": "ALTER TABLE t ADD x int;\nCOMMIT;\nALTER TABLE t ADD y int;",
    "BEGIN and COMMIT": "BEGIN;\nALTER TABLE t ADD x int;\nCOMMIT;\nBEGIN;\nDROP TABLE t;\nCOMMIT;",
    "ROLLBACK, then on": "ALTER TABLE t ADD x int;\nROLLBACK;\nALTER TABLE t ADD y int;",
    "COMMIT in a block": "DO $$ BEGIN CREATE TABLE made (); COMMIT; END $$;",
    "COMMIT by a name": "DO $$ BEGIN CREATE TABLE made (); EXECUTE 'COM' || 'MIT'; END $$;",
    "procedure": "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$BEGIN CREATE TABLE made (); COMMIT;"
    " END$$;\nCALL p();",
    "constraints at once": "CREATE TABLE made ();\nSET CONSTRAINTS ALL IMMEDIATE;",
    "constraints in a block": "DO $$ BEGIN CREATE TABLE made (); SET CONSTRAINTS ALL IMMEDIATE;"
    " END $$;",
    "discard": "CREATE TABLE made ();\nDISCARD TEMP;",
}


@pytest.mark.parametrize("script", ESCAPES.values(), ids=ESCAPES)
def test_no_file_can_commit(visit: Visit, unchanged: Callable[[], bool], script: str) -> None:
    with suppress(ConfitureFlowsError):
        visit(script, as_written=True)

    assert unchanged()


def test_server_itself_refuses_to_commit_what_the_guard_is_in(
    rehearsed: Target, visit: Visit, unchanged: Callable[[], bool], conn: psycopg.Connection
) -> None:
    """What if a statement that ends the transaction were sent all the same?"""
    with connect(rehearsed, "test") as session:
        session.execute("BEGIN")
        session.execute(on_target._MAKE_GUARD)
        session.execute("ALTER TABLE t ADD x int")
        with pytest.raises(psycopg.errors.UniqueViolation):
            session.execute("COMMIT")
    assert unchanged()


def test_connection_that_is_no_longer_in_the_transaction_gets_nothing_more(
    visit: Visit, unchanged: Callable[[], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the session were in autocommit."""
    monkeypatch.setattr(on_target, "_MAKE_GUARD", "ROLLBACK")

    with pytest.raises(RehearsalError, match="has left the transaction"):
        visit("SELECT 1;\nALTER TABLE t ADD x int;")

    assert unchanged()


REFUSED = {
    "SELECT nextval('t_id_seq');": "moves a sequence",
    "SELECT setval('t_id_seq', 7);": "moves a sequence",
    "SELECT pg_advisory_lock(1);": "outlives the transaction",
    "INSERT INTO t (n) VALUES (2);": "writes rows of t",
    "CREATE TABLE IF NOT EXISTS t (n int); INSERT INTO t (n) VALUES (2);": "writes rows of t",
    "UPDATE t SET n = 2;": "leaves dead ones",
    "DELETE FROM t;": "writes rows of t",
    "COPY t TO '/tmp/x';": "reads or writes a file",
    "COPY t TO PROGRAM 'true';": "runs a program",
    "CREATE ROLE confiture_never;": "creates a role",
    "CREATE INDEX CONCURRENTLY i ON t (n);": "cannot be rolled back",
    "VACUUM t;": "cannot be rolled back",
    "SELECT dblink_exec('dbname=x', 'DROP TABLE y');": "beyond the database",
    "SELECT pg_terminate_backend(1);": "ends what others do",
}


@pytest.mark.parametrize(("statement", "why"), REFUSED.items(), ids=REFUSED)
def test_what_survives_a_rollback_is_refused_and_named(
    visit: Visit, unchanged: Callable[[], bool], statement: str, why: str
) -> None:
    seen = visit("ALTER TABLE t ADD x int;", f"SELECT 1;\n{statement}", "SELECT 2;")

    assert seen.migrations == ("0001_m",)
    assert "2 of 3 left out" in seen.stopped
    (refused,) = seen.refused
    assert "0002_m.up.sql:2" in refused
    assert why in refused
    assert unchanged()


def test_sequence_that_a_function_moves_is_told(visit: Visit, conn: psycopg.Connection) -> None:
    conn.execute(
        "CREATE FUNCTION sly() RETURNS bigint LANGUAGE sql AS $$SELECT nextval('t_id_seq')$$"
    )

    seen = visit("SELECT sly();")

    (survived,) = seen.survived
    assert "public.t_id_seq moved from 1 to 2" in survived


def test_failing_statement_is_told(visit: Visit, unchanged: Callable[[], bool]) -> None:
    seen = visit("ALTER TABLE t ADD x int;", "SELECT 1;\nALTER TABLE t ADD CHECK (n > 1);")

    assert seen.error
    assert (seen.error.line, seen.error.sqlstate) == (2, "23514")
    assert seen.migrations == ("0001_m",)
    assert unchanged()


def test_locks_are_held_no_longer_than_the_budget(
    visit: Visit, unchanged: Callable[[], bool]
) -> None:
    started = time.monotonic()

    seen = visit("ALTER TABLE t ADD x int;\nSELECT pg_sleep(30);", budget=0.3)

    assert "budget of 0.3 s for locks was used up at 0001_m, line 2" in seen.stopped
    assert time.monotonic() - started < 25
    assert unchanged()


def test_busy_table_is_not_waited_for(
    visit: Visit, unchanged: Callable[[], bool], dsn: str
) -> None:
    with psycopg.connect(dsn) as other:
        other.execute("SELECT FROM t")
        seen = visit("SELECT 1;\nALTER TABLE t ADD x int;")

    assert "somebody was in the way of 0001_m, line 2" in seen.stopped
    assert unchanged()


def test_python_migrations_are_not_run_on_the_target(
    rehearsed: Target, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    directory = write({"0001_a.py": "def up(conn):\n    conn.execute('CREATE TABLE made ()')\n"})
    plan = plan_forward(discover(directory).migrations, ())

    seen = rehearse_on_target(plan, rehearsed)

    assert "may do anything" in seen.refused[0]
    assert conn.execute("SELECT to_regclass('made')::text").fetchone() == (None,)
