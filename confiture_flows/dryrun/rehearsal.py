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
from confiture_flows.catalog.tracking import Tracker, reach
from confiture_flows.dryrun.report import (
    MigrationImpact,
    RollbackProof,
    RollbackVerdict,
    StatementImpact,
)
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
from confiture_flows.sql.statements import Statement

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.catalog.diff import Change
    from confiture_flows.catalog.model import Catalog
    from confiture_flows.config import Limits
    from confiture_flows.dryrun.report import TableSize
    from confiture_flows.migrations.execution import Run
    from confiture_flows.migrations.plan import Plan, Step
    from confiture_flows.sql.script import Part

_SIZES = """
SELECT n, pg_catalog.pg_relation_size(pg_catalog.to_regclass(n)) FROM unnest(%s::text[]) AS s (n)
WHERE pg_catalog.to_regclass(n) IS NOT NULL
"""
_AFTER_FAILURE = "a migration before it fails"


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a rehearsal found.

    Attributes:
        migrations: In the plan's order.
        rollback: Of the whole plan; None where it was not asked for, or not all of it ran.
        exact: Whether the catalog that was tracked is in the end the one that is there.
    """

    migrations: tuple[MigrationImpact, ...]
    rollback: RollbackProof | None = None
    exact: bool = True


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
        tracker = Tracker(conn, (run.ledger.schema, run.ledger.name))
        watcher = Watcher()
        watcher.attach(conn)
        work = _Work(run, watcher, tracker, private, tables, prove)
        return work.carry_out(plan)


@dataclass(slots=True)
class _Work:
    """A rehearsal on its way."""

    run: Run
    watcher: Watcher
    tracker: Tracker
    private: bool
    tables: tuple[TableSize, ...]
    prove: bool

    def carry_out(self, plan: Plan) -> Rehearsal:
        first = self.tracker.start() if self.prove else None
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
            impact = self._one(step)
            found.append(impact)
            stopped = _AFTER_FAILURE if impact.error else ""
        exact = first is None or bool(stopped) or self.tracker.check()
        rollback = None
        if first is not None and plan.direction is Direction.UP and not stopped and found:
            self.run.sending = Sending()
            rollback = prove_plan(self.run, plan.steps, self.tracker.whole, first)
        return Rehearsal(tuple(found), rollback, exact)

    def _one(self, step: Step) -> MigrationImpact:
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
        if not error and any(table.sampled for table in self.tables):
            impact = replace(impact, statements=self._with_sizes(impact.statements))
        if error or not self.prove:
            return impact
        before = self.tracker.catalog
        after = self._look(step, before)
        self.tracker.catalog = after
        made = diff(before, after)
        proof = None
        if step.direction is Direction.UP:
            proof = self._proof(step, before, after, made)
        return replace(impact, changes=made, proof=proof)

    def _with_sizes(self, statements: tuple[StatementImpact, ...]) -> tuple[StatementImpact, ...]:
        """How large the new indexes are."""
        names = [name for each in statements for name, _ in each.indexes]
        if not names:
            return statements
        sizes = dict(self.run.conn.execute(_SIZES, (names,)).fetchall())
        return tuple(
            replace(each, new_bytes=sum(sizes.get(name, 0) for name, _ in each.indexes))
            for each in statements
        )

    def _look(self, step: Step, before: Catalog) -> Catalog:
        batches = step.script.batches()
        statements = [part for batch in batches for part in batch.parts]
        # What runs outside transactions has let go of its locks.
        seen = all(batch.transactional for batch in batches)
        parts = reach((each.kind, _text(each)) for each in statements) if seen else None
        return self.tracker.after(before, parts, self.watcher.touched, self.watcher.names)

    def _proof(
        self, step: Step, before: Catalog, after: Catalog, made: tuple[Change, ...]
    ) -> RollbackProof:
        if step.migration.repeatable:
            return RollbackProof(RollbackVerdict.NO_DOWN, note="repeatable")
        self.run.sending = Sending()
        return WaysBack(self.run, self.tracker, self.watcher, self.tables).prove(
            step, before, after, made
        )

    def _why_not(self, step: Step) -> str:
        try:
            beyond = beyond_scratch(step, private=self.private)
        except MigrationFileError:
            return ""  # its own error is told when it is run
        if beyond is None:
            return ""
        statement, deed = beyond
        return f"{step.migration.label} {deed} (line {statement.line})"


def _text(part: Part) -> str:
    return part.sql if isinstance(part, Statement) else ""


def _of(step: Step) -> MigrationImpact:
    migration = step.migration
    down = migration.down.path if migration.down else None
    return MigrationImpact(migration.version, migration.label, step.script.path, down=down)


def _not_run(step: Step, why: str) -> MigrationImpact:
    return replace(_of(step), not_run=why)
