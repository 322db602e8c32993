"""conn + Plan -> ledger rows written, step by step, under the run's lock.

A step that the ledger already has is skipped, so the same plan may be given again after
a failure. Refuses to go on when the ledger has lost rows since the plan was made.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING
from uuid import uuid4

from confiture_flows.errors import LedgerError, MigrationFileError, UnresolvedError
from confiture_flows.migrations.checksum import script_checksum
from confiture_flows.migrations.durability import announcing
from confiture_flows.migrations.execution import Run, execute_step
from confiture_flows.migrations.files import Keeper, create_files, locate_files
from confiture_flows.migrations.journal import forget_entries, locate_journal, read_journal
from confiture_flows.migrations.ledger import create_ledger, locate_ledger, read_rows
from confiture_flows.migrations.lock import run_lock
from confiture_flows.migrations.lookout import Lookout
from confiture_flows.migrations.observer import Observer
from confiture_flows.migrations.plan import Direction
from confiture_flows.migrations.pooling import check_backend
from confiture_flows.migrations.session import reset_session, session_reset
from confiture_flows.migrations.single import check_single_transaction, run_single

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection

    from confiture_flows.config import FlushName, Limits
    from confiture_flows.migrations.journal import Entry
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.lookout import Another
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
    name: str | None = None,
    another: Another | None = None,
    single_transaction: bool = False,
    flush: FlushName = "commit",
) -> tuple[LedgerRow, ...]:
    """Carry a plan out, forward or back.

    Args:
        conn: In autocommit; nothing else may use it meanwhile.
        plan: From `plan_forward` or `plan_back`.
        limits: How long to wait for what.
        ledger: Name of the ledger table.
        observer: Hears how it goes.
        run_step: Calls each step; the orchestrator makes task runs of them here.
        name: What the journal calls the run; a random name when not given.
        another: From `another_connection`; nobody who is in the way is named without it.
        single_transaction: All steps are one transaction, and `run_step` is not called.
        flush: "run" waits for the disk before the observer and the caller hear of anything, and
            not at each commit; only right where `run_step` tells nobody.

    Returns:
        For each step the ledger row written or erased; a forward step done before gives its too.

    Raises:
        LockError: Another run did not end in time, or a table stayed busy.
        LedgerError, PlanError: The ledger has changed; or it cannot be a single transaction.
        UnresolvedError: A migration is half done in the other direction.
        ConfitureFlowsError: See `execute_step`.
    """
    observer = observer or Observer()
    if not plan.steps:
        return ()
    if single_transaction:
        check_single_transaction(plan)
    lookout = Lookout(conn, check_backend(conn, another), another)
    with (
        run_lock(conn, limits.lock_patience, observer.waiting, observer.tick),
        announcing(conn, observer, flush) as observer,
    ):
        reset = session_reset(conn, limits, flush)
        run = _prepared(conn, limits, ledger, observer, name or uuid4().hex, lookout, reset)
        return _carry_out(run, plan, run_step, single_transaction=single_transaction)


def _carry_out(
    run: Run, plan: Plan, run_step: RunStep, *, single_transaction: bool
) -> tuple[LedgerRow, ...]:
    known = {row.version: row for row in read_rows(run.conn, run.ledger)}
    _forget_stale(run, plan, known)
    _check_still_true(plan, known)
    _check_nothing_is_half_done(plan, run.unfinished)
    run.observer.begin(plan)
    try:
        if single_transaction:
            check_single_transaction(plan, frozenset(key[0] for key in run.unfinished))
            return _all(run, plan, known)
        rows = (_one(run, step, run_step, known) for step in plan.steps)
        return tuple(row for row in rows if row is not None)
    finally:
        # Whoever uses the connection next must not meet what the last file left in it.
        reset_session(run.conn, run.reset)
        run.keeper.write()


def _one(run: Run, step: Step, run_step: RunStep, known: dict[str, LedgerRow]) -> LedgerRow | None:
    """Run a step that is not done yet; a step back that is done has no row."""
    row = known.get(step.migration.version)
    if step.direction is Direction.UP and step.is_done(row):
        return row
    if step.direction is Direction.DOWN and row is None:
        return None
    _check_unchanged(step)
    run.observer.tick()
    run.observer.started(step)
    done = run_step(step, lambda: execute_step(run, step))
    if step.direction is Direction.UP:
        run.keeper.applied(step.migration)
    run.observer.finished(step, done)
    return done


def _forget_stale(run: Run, plan: Plan, known: dict[str, LedgerRow]) -> None:
    """What the ledger has, or has no more, was finished by another tool, or by hand."""
    repeatable = {step.migration.version for step in plan.steps if step.migration.repeatable}
    stale = [
        (version, direction)
        for version, direction in run.unfinished
        if (version in known) is (direction == "up")
        and not (version in repeatable or (known.get(version) and not known[version].checksum))
    ]
    forget_entries(run.conn, run.journal, stale)
    for key in stale:
        del run.unfinished[key]


def _prepared(
    conn: Connection,
    limits: Limits,
    ledger: str,
    observer: Observer,
    name: str,
    lookout: Lookout,
    reset: tuple[str, ...],
) -> Run:
    """A session in its first state, the ledger, and what earlier runs have left half done."""
    reset_session(conn, reset)
    table = create_ledger(conn, locate_ledger(conn, ledger))
    journal = locate_journal(conn, table)
    keeper = Keeper(conn, create_files(conn, locate_files(conn, table)))
    run = Run(conn, table, journal, limits, reset, observer, name, keeper, lookout)
    run.unfinished = _by_migration(read_journal(conn, journal))
    return run


def _all(run: Run, plan: Plan, known: dict[str, LedgerRow]) -> tuple[LedgerRow, ...]:
    """The whole plan as one transaction, without the steps that are done."""
    versions = {step.migration.version: step for step in plan.steps}
    up = plan.direction is Direction.UP
    done = {
        version: known[version]
        for version, step in versions.items()
        if up and step.is_done(known.get(version))
    }
    left = tuple(
        step
        for version, step in versions.items()
        if version not in done and (up or version in known)
    )
    if left:
        rows = run_single(run, left, _check_unchanged)
        for step in left if up else ():
            run.keeper.applied(step.migration)
        done |= {row.version: row for row in rows}
    return tuple(done[version] for version in versions if version in done)


def _by_migration(entries: tuple[Entry, ...]) -> dict[tuple[str, str], tuple[Entry, ...]]:
    grouped = groupby(entries, key=lambda entry: (entry.version, entry.direction))
    return {key: tuple(each) for key, each in grouped}


def _check_nothing_is_half_done(
    plan: Plan, unfinished: dict[tuple[str, str], tuple[Entry, ...]]
) -> None:
    """A migration half applied must not be passed on the way back, nor one half undone forward."""
    for version, direction in unfinished:
        if direction == plan.direction:
            continue
        way, command = ("applied", "migrate") if direction == "up" else ("rolled back", "rollback")
        raise UnresolvedError(
            f"{version} is half {way}: an earlier run was stopped in it.",
            version=version,
            next_step=f"Finish it: confiture-flows {command}. Or take care of it by hand, and say "
            f"so: confiture-flows resolve {version}",
        )


def _check_still_true(plan: Plan, known: dict[str, LedgerRow]) -> None:
    if plan.direction is Direction.UP:
        changed = (plan.applied - known.keys()) | {
            step.migration.version
            for step in plan.steps
            if not step.is_done(row := known.get(step.migration.version))
            and step.replaces != (row.checksum if row else None)
        }
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
        now = script_checksum(migration.up, repeatable=migration.repeatable)
        unchanged = now == migration.checksum
    except OSError:
        unchanged = False
    if not unchanged and step.direction is Direction.UP:
        raise MigrationFileError(
            f"{migration.label} was edited or removed while the run was going on.",
            version=migration.version,
            file=migration.up.path,
            next_step="Run again with the file as it should be.",
        )
