"""A migration's way back, run in the scratch database -> RollbackProof.

The usual way down is run in a transaction that is rolled back, so that the next migration starts
from exactly what this one made; CONCURRENTLY is left out for it, which changes nothing in the
catalog. What cannot be in a transaction is run, and the way up once more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from confiture_flows.catalog.diff import Action, Change, diff
from confiture_flows.catalog.tracking import Tracker, reach
from confiture_flows.dryrun.probe import EXECUTE, LockReading, is_reading, read
from confiture_flows.dryrun.report import DataLoss, RollbackProof, RollbackVerdict
from confiture_flows.errors import ConfitureFlowsError
from confiture_flows.migrations.diagnosis import diagnose
from confiture_flows.migrations.execution import execute_step
from confiture_flows.migrations.plan import Direction, Step
from confiture_flows.migrations.python_script import FunctionCall
from confiture_flows.migrations.send import StatementFailed
from confiture_flows.migrations.single import CHECK_DEFERRED
from confiture_flows.migrations.transaction import run_transaction
from confiture_flows.sql.script import Batch
from confiture_flows.sql.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection
    from psycopg.pq.abc import PGresult

    from confiture_flows.catalog.model import Catalog
    from confiture_flows.dryrun.report import TableSize
    from confiture_flows.dryrun.watcher import Watcher
    from confiture_flows.migrations.execution import Run
    from confiture_flows.sql.script import Part

    Look = Callable[[], Catalog]

_CONCURRENTLY = re.compile(r"\s+CONCURRENTLY\b", re.IGNORECASE)
_WITHOUT_CONCURRENTLY = "its CONCURRENTLY was left out for this"
_LOOK = Statement(0, 0, EXECUTE, "execute_stmt")
_DELETED = re.compile(rb"(?:DELETE|MERGE) (\d+)")


@dataclass(frozen=True, slots=True)
class WaysBack:
    """Proves the ways back of one rehearsal.

    Attributes:
        run: In the scratch database.
        tracker: Reads its catalog.
        watcher: Knows its relations.
        tables: Of the target, with their sizes.
    """

    run: Run
    tracker: Tracker
    watcher: Watcher
    tables: tuple[TableSize, ...]

    def prove(
        self, step: Step, before: Catalog, after: Catalog, made: tuple[Change, ...]
    ) -> RollbackProof:
        """Go down from where a step has come to, compare, and be where it was again.

        Args:
            step: Has just been taken.
            before: The catalog before it.
            after: The catalog after it.
            made: What differs between the two.
        """
        if step.migration.down is None:
            return RollbackProof(RollbackVerdict.NO_DOWN)
        down = Step(step.migration, Direction.DOWN)
        try:
            batches = down.script.batches()
        except ConfitureFlowsError as error:
            return RollbackProof(RollbackVerdict.FAILS, error=error)
        parts, note = _in_one_transaction(batches)
        if parts is None:
            return self._really(step, down, before, after, made)
        deleted: list[int] = []
        reading: list[LockReading] = []

        def hear(result: PGresult) -> None:
            if is_reading(result):
                reading.append(read(result))
            elif match := _DELETED.match(result.command_status or b""):
                deleted.append(int(match[1]))

        conn = self.run.conn
        try:
            batch = Batch((*parts, _LOOK))
            run_transaction(conn, batch, closing=CHECK_DEFERRED, hear=hear)
            reached = self._reached(parts, reading, after)
        except StatementFailed as failure:
            return RollbackProof(
                RollbackVerdict.FAILS, error=diagnose(failure, conn, down), note=note
            )
        finally:
            _leave(self.run)
        losses = self._losses(before, after, reached, made, sum(deleted))
        return _judged(diff(before, reached), losses, note)

    def _reached(
        self,
        parts: tuple[Part, ...],
        readings: list[LockReading],
        after: Catalog,
    ) -> Catalog:
        """The catalog in the transaction of the way down."""
        texts = ((part.kind, part.sql if isinstance(part, Statement) else "") for part in parts)
        if not readings:
            return self.tracker.whole()
        numbers, names = self.watcher.touching(readings[-1])
        return self.tracker.after(after, reach(texts), numbers, names)

    def _really(
        self, up: Step, down: Step, before: Catalog, after: Catalog, made: tuple[Change, ...]
    ) -> RollbackProof:
        try:
            execute_step(self.run, down)
        except ConfitureFlowsError as error:
            return RollbackProof(RollbackVerdict.FAILS, error=error)
        reached = self.tracker.whole()
        losses = self._losses(before, after, reached, made, 0, counted=False)
        proof = _judged(diff(before, reached), losses)
        try:
            execute_step(self.run, up)
        except ConfitureFlowsError as error:
            return replace(
                proof,
                verdict=RollbackVerdict.FAILS
                if proof.verdict is RollbackVerdict.PROVEN
                else proof.verdict,
                error=error,
                note="it cannot be applied once more after its way down",
            )
        return proof

    def _losses(
        self,
        before: Catalog,
        after: Catalog,
        reached: Catalog,
        made: tuple[Change, ...],
        deleted: int,
        *,
        counted: bool = True,
    ) -> tuple[DataLoss, ...]:
        losses = []
        for change in diff(after, reached):
            if change.action is Action.REMOVED and change.kind in ("table", "column"):
                values = _count(self.run.conn, change, _table_of(change, after)) if counted else 0
                losses += [DataLoss(change.name, "dropped", values)] if values else []
        removed = [
            change
            for change in made
            if change.action is Action.REMOVED and change.kind in ("table", "column")
        ]
        if removed:
            back = {(each.kind, each.name) for each in reached.objects}
            sizes = {table.name: table.rows for table in self.tables}
            for change in removed:
                rows = sizes.get(_table_of(change, before))
                if rows and (change.kind, change.name) in back:
                    losses.append(DataLoss(change.name, "emptied", rows))
        if deleted:
            losses.append(DataLoss("rows", "deleted", deleted))
        return tuple(losses)


def prove_plan(run: Run, steps: tuple[Step, ...], look: Look, first: Catalog) -> RollbackProof:
    """Go all the way back, each step for good, and compare with where it all began.

    Args:
        run: In the scratch database, after all steps.
        steps: Those that were taken, in their order.
        look: Reads the catalog.
        first: The catalog before the first of them.
    """
    back = [step for step in reversed(steps) if not step.migration.repeatable]
    for step in back:
        if step.migration.down is None:
            return RollbackProof(
                RollbackVerdict.NO_DOWN,
                version=step.migration.version,
                note=f"{step.migration.label} has no down script",
            )
        try:
            execute_step(run, Step(step.migration, Direction.DOWN))
        except ConfitureFlowsError as error:
            return RollbackProof(
                RollbackVerdict.FAILS,
                error=error,
                version=step.migration.version,
                note=f"it stops at {step.migration.label}",
            )
    repeatable = len(steps) - len(back)
    note = f"{repeatable} repeatable stay as they are" if repeatable else ""
    return _judged(diff(first, look()), (), note)


def _in_one_transaction(batches: tuple[Batch, ...]) -> tuple[tuple[Part, ...] | None, str]:
    """What runs in one transaction in their stead; None where nothing does."""
    parts: list[Part] = []
    note = ""
    for batch in batches:
        if not batch.keep:
            continue
        for part in batch.parts:
            if isinstance(part, FunctionCall) or (isinstance(part, Statement) and part.may_commit):
                return None, ""
            why = part.forbids_transaction
            if why and "CONCURRENTLY" in why and isinstance(part, Statement):
                part = replace(part, sql=_CONCURRENTLY.sub("", part.sql, count=1))
                note = _WITHOUT_CONCURRENTLY
            elif why:
                return None, ""
            parts.append(part)
    return tuple(parts), note


def _leave(run: Run) -> None:
    """Roll the transaction back, and have the session as each migration begins."""
    from psycopg.pq import TransactionStatus

    open_states = (TransactionStatus.INTRANS, TransactionStatus.INERROR)
    if run.conn.info.transaction_status in open_states:
        run.conn.execute("; ".join(("ROLLBACK", *run.reset)).encode())


def _judged(
    changes: tuple[Change, ...], losses: tuple[DataLoss, ...], note: str = ""
) -> RollbackProof:
    if any(change.is_drift for change in changes):
        verdict = RollbackVerdict.DIFFERS
    else:
        verdict = RollbackVerdict.COLUMN_ORDER if changes else RollbackVerdict.PROVEN
    return RollbackProof(verdict, changes, losses=losses, note=note)


def _table_of(change: Change, catalog: Catalog) -> str:
    """The table that is about itself, or of a column; quoted names may have dots in them."""
    if change.kind == "table":
        return change.name
    same = (each for each in catalog.objects if each.name == change.name)
    return next(each.part_of for each in same if each.kind == change.kind)


def _count(conn: Connection, change: Change, table: str) -> int:
    """How many values, or rows, are in what a way down drops."""
    import psycopg
    from psycopg import sql

    what, name = sql.SQL("*"), sql.SQL(table)  # pyright: ignore[reportArgumentType]
    if change.kind == "column":
        what = sql.SQL(change.name.removeprefix(f"{table}."))  # pyright: ignore[reportArgumentType]
    query = sql.SQL("SELECT count({}) FROM {}").format(what, name)
    try:
        row = conn.execute(query).fetchone()
    except psycopg.Error:
        return 0  # a view's column, or a table that nobody may read
    return row[0] if row else 0
