"""The whole plan in one transaction: all of it or nothing, and refused where that cannot be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from confiture_flows.errors import ApplyError, LockError, PlanError
from confiture_flows.migrations.apply import apply_plan
from confiture_flows.migrations.ledger import LedgerRow
from confiture_flows.migrations.lookout import another_connection
from confiture_flows.migrations.observer import Busy, Observer
from confiture_flows.migrations.plan import Plan, Step
from confiture_flows.target import connect

from .conftest import Engine


def run(engine: Engine, plan: Plan, observer: Observer | None = None) -> tuple[LedgerRow, ...]:
    with connect(engine.target, "test") as conn:
        return apply_plan(
            conn,
            plan,
            limits=engine.target.limits,
            observer=observer,
            another=another_connection(engine.target),
            single_transaction=True,
        )


class Watcher(Observer):
    """What it hears, and what others see of the ledger then."""

    def __init__(self, engine: Engine, then: Callable[[], object] = lambda: None) -> None:
        self.engine, self.then = engine, then
        self.finishes: list[tuple[str, int]] = []
        self.starts: list[str] = []

    def started(self, step: Step) -> None:
        self.starts.append(step.migration.version)

    def busy(self, busy: Busy) -> None:
        self.then()

    def finished(self, step: Step, row: LedgerRow) -> None:
        self.finishes.append((row.version, len(self.engine.versions())))


def test_all_is_committed_at_once_and_told_after_it(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    directory = write(
        {
            "0001_a.up.sql": "CREATE TABLE a AS SELECT txid_current() AS x; -- the end",
            "0001_a.down.sql": "DROP TABLE a;",
            "0002_b.up.sql": "BEGIN; CREATE TABLE b AS SELECT txid_current() AS x; COMMIT;",
            "0002_b.down.sql": "DROP TABLE b;",
            "0003_c.up.sql": "CREATE TABLE c (i int);\nCOPY c FROM stdin;\n1\n\\.\n",
            "0003_c.down.sql": "DROP TABLE c;",
            "0004_d.up.sql": "DO $$ BEGIN PERFORM 1; END $$;",
            "0004_d.down.sql": "",
        }
    )
    watcher = Watcher(engine)

    rows = run(engine, engine.plan(directory), watcher)

    assert [row.version for row in rows] == ["0001", "0002", "0003", "0004"]
    assert rows == engine.rows()
    assert watcher.finishes == [(row.version, 4) for row in rows]
    assert conn.execute("SELECT a.x = b.x FROM a, b").fetchall() == [(True,)]
    undone = run(engine, engine.plan_back(directory, "zero"))
    assert undone == rows[::-1]
    assert engine.versions() == []


def test_failure_undoes_all_and_says_so(
    engine: Engine, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    directory = write(
        {
            "0001_a.up.sql": "CREATE TABLE a (i int);",
            "0002_b.up.sql": "CREATE TABLE b (i int);\n\nSELECT 1 / 0;",
        }
    )
    watcher = Watcher(engine)

    with pytest.raises(ApplyError, match="0001_a went with it") as caught:
        run(engine, engine.plan(directory), watcher)

    assert (caught.value.version, caught.value.line) == ("0002", 3)
    assert watcher.finishes == []
    assert tables() == []
    assert engine.versions() == []


def test_what_forbids_it_is_listed_before_anything_runs(
    engine: Engine, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    directory = write(
        {
            "0001_a.up.sql": "CREATE TABLE a (i int);\nCREATE TYPE mine AS ENUM ('x');",
            "0002_b.up.sql": "\nCREATE INDEX CONCURRENTLY ON a (i);",
            "0003_c.up.sql": "-- confiture: transaction=as-written\nSELECT 1;\nCOMMIT;\nSELECT 2;",
            "0004_d.up.sql": "-- confiture: transaction=as-written\nCALL p();",
            "0005_e.up.sql": "BEGIN ISOLATION LEVEL SERIALIZABLE;\nSELECT 1;\nCOMMIT;",
            "0006_f.up.sql": "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;",
            "0007_g.up.sql": "ALTER TYPE mood ADD VALUE 'sunny';\nALTER TYPE mine ADD VALUE 'y';",
            "0008_h.up.sql": "SELECT 'y'::mine;\nSELECT 'sunny'::mood;",
        }
    )

    with pytest.raises(PlanError) as caught:
        run(engine, engine.plan(directory))

    lines = [line.strip() for line in caught.value.message.splitlines()[1:]]
    places = [line.removeprefix(f"{directory}/").split(": ")[0] for line in lines]
    assert places == [
        "0002_b.up.sql:2",
        "0003_c.up.sql:4",
        "0004_d.up.sql:2",
        "0005_e.up.sql:2",
        "0006_f.up.sql:1",
        "0008_h.up.sql:1",
        "0008_h.up.sql:2",
    ]
    assert caught.value.exit_code == 2
    assert tables() == []


def test_busy_table_starts_the_whole_anew(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    other: psycopg.Connection,
) -> None:
    conn.execute("CREATE TABLE busy (i int)")
    other.execute("SELECT * FROM busy")
    directory = write(
        {"0001_a.up.sql": "CREATE TABLE a (i int);", "0002_b.up.sql": "ALTER TABLE busy ADD j int;"}
    )
    with pytest.raises(LockError, match="0001_a went with it"):
        run(engine, engine.plan(directory))
    assert engine.versions() == []

    watcher = Watcher(engine, other.rollback)
    run(engine, engine.plan(directory), watcher)
    assert watcher.starts == ["0001", "0002", "0001", "0002"]
    assert engine.versions() == ["0001", "0002"]


def test_deferred_constraint_is_checked_where_it_was_broken(
    engine: Engine, write: Callable[..., Path]
) -> None:
    directory = write(
        {
            "0001_a.up.sql": "CREATE TABLE a (i int PRIMARY KEY, p int REFERENCES a"
            " DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO a VALUES (1, 2), (2, 1);",
            # Needs that no check is pending, and that they are deferred again.
            "0002_b.up.sql": "ALTER TABLE a ADD n int;\nINSERT INTO a VALUES (3, 4), (4, 3);",
            "0003_c.up.sql": "INSERT INTO a VALUES (5, 99);",
            "0004_d.up.sql": "SELECT 1;",
        }
    )
    with pytest.raises(ApplyError, match="found at commit") as caught:
        run(engine, engine.plan(directory))
    assert caught.value.version == "0003"
    run(engine, engine.plan(directory, "0002"))
    assert engine.versions() == ["0001", "0002"]


def test_what_a_file_sets_does_not_reach_the_next(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    directory = write(
        {
            "0001_a.up.sql": "SET search_path = '';\nSET work_mem = '1MB';\n"
            "CREATE TEMP TABLE seen (i int);\nPREPARE p AS SELECT 1;\nSET ROLE pg_monitor;",
            "0002_b.up.sql": "PREPARE p AS SELECT 1;\nCREATE TABLE seen AS SELECT"
            " current_setting('work_mem') <> '1MB' AND current_setting('search_path') <> ''"
            " AND current_user = session_user AS clean;",
        }
    )
    run(engine, engine.plan(directory))
    assert conn.execute("SELECT clean FROM public.seen").fetchall() == [(True,)]
