"""A plan -> MigrationImpacts: carried out in a scratch database, migration by migration, for good.

The steps go through the engine's own `execute_step`, so that transactions, journal and errors are
those of a real run; a Watcher sends the statements. What would reach beyond the scratch database is
not run, nor what comes after it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from confiture_flows.catalog.diff import diff
from confiture_flows.catalog.snapshot import take_snapshot
from confiture_flows.dryrun.report import MigrationImpact, RollbackProof, Verdict
from confiture_flows.dryrun.rollback_check import WaysBack, prove_plan
from confiture_flows.dryrun.watcher import Watcher
from confiture_flows.errors import ConfitureFlowsError, MigrationFileError
from confiture_flows.migrations.apply import prepare_run
from confiture_flows.migrations.execution import Sending, execute_step
from confiture_flows.migrations.lock import run_lock
from confiture_flows.migrations.lookout import Lookout
from confiture_flows.migrations.observer import Observer
from confiture_flows.migrations.plan import Direction
from confiture_flows.migrations.pooling import check_backend
from confiture_flows.migrations.replay import beyond_scratch
from confiture_flows.migrations.session import session_reset

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.catalog.model import Catalog
    from confiture_flows.config import Limits
    from confiture_flows.dryrun.report import TableSize
    from confiture_flows.migrations.execution import Run
    from confiture_flows.migrations.plan import Plan, Step

_AFTER_FAILURE = "a migration before it fails"


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a rehearsal found.

    Attributes:
        migrations: In the plan's order.
        rollback: Of the whole plan; None where it was not asked for, or not all of it ran.
    """

    migrations: tuple[MigrationImpact, ...]
    rollback: RollbackProof | None = None


def rehearse(
    conn: Connection,
    plan: Plan,
    *,
    ledger: str,
    limits: Limits,
    private: bool,
    tables: tuple[TableSize, ...] = (),
    prove: bool = True,
    observer: Observer | None = None,
) -> Rehearsal:
    """Carry a plan out in a scratch database.

    Args:
        conn: The scratch database; in autocommit.
        plan: What to carry out.
        ledger: Name of the ledger table.
        limits: How long a statement may take.
        private: Whether the whole server is thrown away with the database.
        tables: Those of the target that the plan touches, for what is lost on the way back.
        prove: Whether catalogs are compared and the ways back are gone.
        observer: Hears of it.
    """
    observer = observer or Observer()
    lookout = Lookout(conn, check_backend(conn, None), None)
    with run_lock(conn, limits.lock_patience, observer.waiting, observer.tick):
        # What is prepared for readings stays.
        reset = tuple(each for each in session_reset(conn, limits) if each != "DEALLOCATE ALL")
        run = prepare_run(conn, limits, ledger, observer, "dry run", lookout, reset)
        known = (run.ledger.schema, run.ledger.name)
        work = _Work(run, Watcher(), known, private, tables, prove)
        work.watcher.attach(conn)
        return work.carry_out(plan)


@dataclass(slots=True)
class _Work:
    """A rehearsal on its way."""

    run: Run
    watcher: Watcher
    known: tuple[str, str]
    private: bool
    tables: tuple[TableSize, ...]
    prove: bool

    def carry_out(self, plan: Plan) -> Rehearsal:
        before = first = self.look() if self.prove else None
        found: list[MigrationImpact] = []
        stopped = ""
        for step in plan.steps:
            if not stopped:
                stopped = self._why_not(step)
            if stopped:
                found.append(_not_run(step, stopped))
                continue
            self.run.observer.tick()
            self.run.observer.started(step)
            impact, before = self._one(step, before)
            found.append(impact)
            stopped = _AFTER_FAILURE if impact.error else ""
        rollback = None
        if first is not None and plan.direction is Direction.UP and not stopped and found:
            self.run.sending = Sending()
            rollback = prove_plan(self.run, plan.steps, self.look, first)
        return Rehearsal(tuple(found), rollback)

    def look(self) -> Catalog:
        return take_snapshot(self.run.conn, ledger=self.known)

    def _one(self, step: Step, before: Catalog | None) -> tuple[MigrationImpact, Catalog | None]:
        self.watcher.begin()
        self.run.sending = self.watcher.sending
        started = time.monotonic()
        error = None
        try:
            execute_step(self.run, step)
        except ConfitureFlowsError as raised:
            error = raised
        impact = replace(
            _of(step),
            statements=tuple(self.watcher.found),
            seconds=time.monotonic() - started,
            error=error,
        )
        if error or before is None:
            return impact, before
        after = self.look()
        proof = None
        if step.direction is Direction.UP:
            self.run.sending = Sending()
            proof = self._proof(step, before, after)
        return replace(impact, changes=diff(before, after), proof=proof), after

    def _proof(self, step: Step, before: Catalog, after: Catalog) -> RollbackProof:
        if step.migration.repeatable:
            return RollbackProof(Verdict.NO_DOWN, note="repeatable")
        return WaysBack(self.run, self.look, self.tables).prove(step, before, after)

    def _why_not(self, step: Step) -> str:
        try:
            beyond = beyond_scratch(step, private=self.private)
        except MigrationFileError:
            return ""  # its own error is told when it is run
        if beyond is None:
            return ""
        statement, deed = beyond
        return f"{step.migration.label} {deed} (line {statement.line})"


def _of(step: Step) -> MigrationImpact:
    migration = step.migration
    return MigrationImpact(migration.version, migration.label, step.script.path)


def _not_run(step: Step, why: str) -> MigrationImpact:
    return replace(_of(step), not_run=why)
