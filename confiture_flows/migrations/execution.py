"""One step of a plan -> run, with its ledger row in the same transaction.

The usual script is one transaction. What is not runs batch by batch, with a journal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from confiture_flows.errors import HookError, LedgerError
from confiture_flows.migrations.diagnosis import diagnose
from confiture_flows.migrations.hook_points import NO_HOOKS, HookPoints
from confiture_flows.migrations.ledger import returned_row
from confiture_flows.migrations.patience import patiently
from confiture_flows.migrations.plan import Direction
from confiture_flows.migrations.send import StatementFailed
from confiture_flows.migrations.transaction import Record, run_transaction
from confiture_flows.sql.script import Batch

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection

    from confiture_flows.config import Limits
    from confiture_flows.migrations.files import Keeper
    from confiture_flows.migrations.journal import Entry, JournalTable
    from confiture_flows.migrations.ledger import LedgerRow, LedgerTable
    from confiture_flows.migrations.lookout import Lookout
    from confiture_flows.migrations.observer import Observer
    from confiture_flows.migrations.plan import Step
    from confiture_flows.migrations.transaction import Query


@dataclass(frozen=True, slots=True)
class Sending:
    """Who sends the script's statements; a dry run takes their places, to look at each.

    Attributes:
        transaction: Called as `run_transaction`; None is that itself.
        alone: Called as `run_statement`; None is that itself.
    """

    transaction: Callable[..., tuple[Any, ...] | None] | None = None
    alone: Callable[..., None] | None = None


@dataclass(slots=True)
class Run:
    """What the steps of a run share.

    Attributes:
        conn: In autocommit, holding the run's lock.
        ledger: The ledger, which exists.
        journal: The journal, which is created when a step needs it.
        limits: How long to go on when a table is busy.
        reset: From `session_reset`; it is done already, and done again after each step.
        observer: Hears how it goes.
        name: What the journal calls the run.
        keeper: Writes down the files of what is applied.
        lookout: Of the connection.
        unfinished: The journal's entries when the run began, by version and direction.
        hooks: Called around steps.
        sending: Who sends the script's statements.
    """

    conn: Connection
    ledger: LedgerTable
    journal: JournalTable
    limits: Limits
    reset: tuple[str, ...]
    observer: Observer
    name: str
    keeper: Keeper
    lookout: Lookout
    unfinished: dict[tuple[str, str], tuple[Entry, ...]] = field(default_factory=dict)
    hooks: HookPoints = NO_HOOKS
    sending: Sending = field(default_factory=Sending)


def execute_step(run: Run, step: Step) -> LedgerRow:
    """Run a step and write, or erase, its ledger row.

    Returns:
        The row that was written or erased.

    Raises:
        MigrationFileError: The script cannot be run as it stands.
        ApplyError: A statement failed; its transaction was rolled back.
        PartialApplyError: The same, after earlier statements had been committed.
        UnresolvedError: An earlier run was stopped in a statement that may be done or not.
        LockError: A table stayed busy until patience ended.
        TargetUnreachableError: The connection broke.
    """
    batches = step.script.batches() or (Batch(()),)
    begun = (step.migration.version, step.direction.value) in run.unfinished
    single = len(batches) == 1 and batches[0].transactional and batches[0].keep
    if single and not begun:
        return finish_step(run, step, batches[0])
    inside = run.hooks.inside(step)
    if inside and inside.before:
        raise HookError(
            f"{step.migration.label} is not one transaction, so no hook can run before it in its "
            "transaction.",
            version=step.migration.version,
            file=step.script.path,
            next_step='Give the hook transaction = "own", or let it run after_apply.',
        )
    # Most runs need none of it.
    from confiture_flows.migrations.batchwise import run_batchwise

    return run_batchwise(run, step, batches)


def finish_step(
    run: Run,
    step: Step,
    batch: Batch,
    *,
    also: tuple[Query, ...] = (),
    elapsed_ms: int | None = None,
    committed: int = 0,
) -> LedgerRow:
    """Run the last batch of a step, with the ledger row in its transaction.

    Args:
        run: What it is a part of.
        step: The step.
        batch: Its last; may have no statements.
        also: What else to write in that transaction.
        elapsed_ms: How long the step has taken; None lets the server say, since the row is
            sent before the batch has run.
        committed: How many statements of the script are committed already.
    """
    record = record_of(run, step, also=also, elapsed_ms=elapsed_ms)
    conn = run.conn
    tell = partial(run.observer.sent, step)
    inside = run.hooks.inside(step)
    send = run.sending.transaction or run_transaction
    try:
        row = patiently(
            lambda: send(conn, batch, record, run.reset, tell, inside=inside),
            lambda: step,
            run.limits,
            run.observer,
            run.lookout,
        )
    except StatementFailed as failure:
        aftermath = None
        if failure.escaped:
            from confiture_flows.migrations.batchwise import leave_in_doubt

            aftermath = leave_in_doubt(run, step, batch)
        raise diagnose(failure, conn, step, committed, aftermath) from None
    except HookError as error:
        if error.escaped:
            from confiture_flows.migrations.batchwise import leave_in_doubt

            leave_in_doubt(run, step, batch)
        raise
    if row is None:
        raise LedgerError(f"The ledger had no row for {step.migration.label} to erase.")
    return returned_row(row)


def record_of(
    run: Run, step: Step, *, also: tuple[Query, ...] = (), elapsed_ms: int | None = None
) -> Record:
    """What is written about a step, the ledger row last; the arguments are `finish_step`'s."""
    migration = step.migration
    block = "record" if step.direction is Direction.UP else "erase"
    query = run.ledger.query(block, run.conn.info.dbname, replacing=migration.repeatable)
    values: dict[str, str | int | None] = {
        "version": migration.version,
        "name": migration.name,
        "checksum": migration.checksum,
        "elapsed_ms": elapsed_ms,
    }
    forget = ()
    if step.direction is Direction.DOWN:
        forget = run.keeper.table.forget(migration.version)
    return Record((*also, *forget, (query, values)))
