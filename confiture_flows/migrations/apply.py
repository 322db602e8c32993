"""conn + Plan -> ledger rows written, step by step, under the run's lock.

A step that the ledger already has is skipped, so the same plan may be given again after
a failure. Refuses to go on when the ledger has lost rows since the plan was made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.errors import LedgerError, MigrationFileError
from confiture_flows.migrations.checksum import file_checksum
from confiture_flows.migrations.execution import execute_step, reset_session, session_reset
from confiture_flows.migrations.ledger import create_ledger, locate_ledger, read_rows
from confiture_flows.migrations.lock import run_lock
from confiture_flows.migrations.observer import Observer
from confiture_flows.migrations.plan import Direction

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection

    from confiture_flows.config import Limits
    from confiture_flows.migrations.ledger import LedgerRow, LedgerTable
    from confiture_flows.migrations.plan import Plan, Step

    RunStep = Callable[[Step, Callable[[], LedgerRow]], LedgerRow]


def directly(_step: Step, run: Callable[[], LedgerRow]) -> LedgerRow:
    """Run a step as it is."""
    return run()


def apply_plan(
    conn: Connection,
    plan: Plan,
    *,
    limits: Limits,
    ledger: str = "tb_confiture",
    observer: Observer | None = None,
    run_step: RunStep = directly,
) -> tuple[LedgerRow, ...]:
    """Carry a plan out, forward or back.

    Args:
        conn: In autocommit; nothing else may use it meanwhile.
        plan: From `plan_forward` or `plan_back`.
        limits: How long to wait for what.
        ledger: Name of the ledger table.
        observer: Hears how it goes.
        run_step: Calls each step; the orchestrator makes task runs of them here.

    Returns:
        For each step, in order, the ledger row that was written or erased. A forward step
        that an earlier try, or another run, had already finished gives its row too.

    Raises:
        LockError: Another run did not end in time, or a table stayed busy.
        LedgerError: The ledger has changed under the plan.
        ConfitureFlowsError: See `execute_step`.
    """
    observer = observer or Observer()
    if not plan.steps:
        return ()
    with run_lock(conn, limits.lock_patience, observer.waiting, observer.tick):
        reset = session_reset(conn, limits)
        reset_session(conn, reset)
        table = create_ledger(conn, locate_ledger(conn, ledger))
        known = {row.version: row for row in read_rows(conn, table)}
        _check_still_true(plan, known)
        observer.begin(plan)
        rows: list[LedgerRow] = []
        try:
            for step in plan.steps:
                version = step.migration.version
                if step.direction is Direction.UP and version in known:
                    rows.append(known[version])
                    continue
                if step.direction is Direction.DOWN and version not in known:
                    continue
                rows.append(_one(conn, step, table, limits, reset, observer, run_step))
        finally:
            # Whoever uses the connection next must not meet what the last file left in it.
            reset_session(conn, reset)
        return tuple(rows)


def _one(
    conn: Connection,
    step: Step,
    table: LedgerTable,
    limits: Limits,
    reset: tuple[str, ...],
    observer: Observer,
    run_step: RunStep,
) -> LedgerRow:
    _check_unchanged(step)
    observer.tick()
    observer.started(step)
    row = run_step(step, lambda: execute_step(conn, step, table, limits, reset, observer))
    observer.finished(step, row)
    return row


def _check_still_true(plan: Plan, known: dict[str, LedgerRow]) -> None:
    if plan.direction is Direction.UP:
        changed = plan.applied - known.keys()
    else:
        # A row that is new would be left standing on what this plan takes away.
        live = {version for version, row in known.items() if row.archived_into is None}
        changed = (plan.applied ^ live) - {step.migration.version for step in plan.steps}
    if changed:
        raise LedgerError(
            "Another run has changed the ledger since this plan was made "
            f"({', '.join(sorted(changed))}).",
            next_step="Run again; the plan is made anew.",
        )


def _check_unchanged(step: Step) -> None:
    migration = step.migration
    try:
        unchanged = file_checksum(migration.up.path) == migration.checksum
    except OSError:
        unchanged = False
    if not unchanged and step.direction is Direction.UP:
        raise MigrationFileError(
            f"{migration.label} was edited or removed while the run was going on.",
            version=migration.version,
            file=migration.up.path,
            next_step="Run again with the file as it should be.",
        )
