"""conn + what a failed run has done -> undone again by the down scripts, the latest first.

Refuses, before anything runs, what has no way back. A migration that stopped half way is undone
by its down script too, which then has to bear that some of its objects were never made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.errors import IrreversibleError
from confiture_flows.migrations.apply import apply_plan
from confiture_flows.migrations.diagnosis import diagnose
from confiture_flows.migrations.journal import forget_entries, locate_journal
from confiture_flows.migrations.ledger import locate_ledger, read_ledger
from confiture_flows.migrations.lock import run_lock
from confiture_flows.migrations.patience import roll_back
from confiture_flows.migrations.plan import Direction, Plan, Step
from confiture_flows.migrations.send import StatementFailed, run_statement
from confiture_flows.migrations.session import reset_session, session_reset
from confiture_flows.migrations.transaction import Record, run_transaction

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.lookout import Another
    from confiture_flows.migrations.migration import Migration
    from confiture_flows.migrations.observer import Observer
    from confiture_flows.sql.script import Batch
    from confiture_flows.target import Target


def take_back(
    conn: Connection,
    target: Target,
    migrations: tuple[Migration, ...],
    done: tuple[LedgerRow, ...],
    *,
    half_done: str | None = None,
    observer: Observer | None = None,
    another: Another | None = None,
) -> tuple[LedgerRow, ...]:
    """Undo what a run has done.

    Args:
        conn: In autocommit; nothing else may use it meanwhile.
        target: Where it leads.
        migrations: As discovered.
        done: The rows that the run has written, in order.
        half_done: The version that it was stopped in, with some of its statements committed.
        observer: Hears how it goes.
        another: From `another_connection`.

    Returns:
        The rows that were erased.

    Raises:
        IrreversibleError: One of them has no down script; nothing was undone.
        ConfitureFlowsError: A down script failed; what was undone before stays undone.
    """
    steps = plan_to_take_back(migrations, tuple(row.version for row in done), half_done).steps
    if half_done:
        _undo_half_done(conn, target, steps[0])
        steps = steps[1:]
    if not steps:
        return ()
    live = (row for row in read_ledger(conn, target.ledger) if row.archived_into is None)
    return apply_plan(
        conn,
        Plan(Direction.DOWN, steps, frozenset(row.version for row in live)),
        limits=target.limits,
        ledger=target.ledger,
        observer=observer,
        another=another,
    )


def plan_to_take_back(
    migrations: tuple[Migration, ...], versions: tuple[str, ...], half_done: str | None = None
) -> Plan:
    """What it takes to undo what a run has done, the latest first.

    Args:
        migrations: As discovered.
        versions: What the run has applied, in order.
        half_done: The version that it was stopped in.

    Raises:
        IrreversibleError: One of them has no down script.
        MigrationFileError: A down script cannot be run.
    """
    by_version = {each.version: each for each in migrations}
    undone = [*([half_done] if half_done else []), *reversed(versions)]
    steps = tuple(_step(by_version, version) for version in undone)
    for step in steps:
        step.script.batches()
    return Plan(Direction.DOWN, steps, frozenset(versions))


def _step(by_version: dict[str, Migration], version: str) -> Step:
    migration = by_version[version]
    if migration.down is None or migration.repeatable:
        raise IrreversibleError(
            f"{migration.label} has no down script, so the run cannot be taken back.",
            version=version,
            file=migration.up.path,
            next_step="What is applied stays applied. See: confiture-flows status",
        )
    return Step(migration, Direction.DOWN)


def _undo_half_done(conn: Connection, target: Target, step: Step) -> None:
    """Run the down script of what has journal entries and no ledger row."""
    reset = session_reset(conn, target.limits)
    with run_lock(conn, target.limits.lock_patience):
        reset_session(conn, reset)
        journal = locate_journal(conn, locate_ledger(conn, target.ledger))
        version = step.migration.version
        forget = journal.forget(version, "up")
        batches = step.script.batches()
        try:
            if len(batches) == 1 and batches[0].transactional and batches[0].keep:
                run_transaction(conn, batches[0], Record((forget,)))
                return
            # From here on a new try starts anew: entries that speak of what may be undone by
            # now would have it go on in the middle.
            forget_entries(conn, journal, [(version, "up")])
            for batch in batches:
                _run(conn, batch)
        except StatementFailed as failure:
            roll_back(conn)
            raise diagnose(failure, conn, step) from None
        finally:
            reset_session(conn, reset)


def _run(conn: Connection, batch: Batch) -> None:
    if batch.transactional:
        run_transaction(conn, batch)
    else:
        run_statement(conn, batch.first, without_lock_timeout=True)
