"""Task: target + what a failed run has done -> ledger rows erased."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import task

from confiture_flows.migrations import take_back as engine
from confiture_flows.migrations.lookout import another_connection
from confiture_flows.migrations.observer import Observers, current_observer
from confiture_flows.tasks._assets import Materialized
from confiture_flows.tasks._chronicle import Chronicle
from confiture_flows.tasks._policy import COMPUTED
from confiture_flows.tasks.guarded import connect_guarded

if TYPE_CHECKING:
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.migration import Migration
    from confiture_flows.target import Target


@task(name="take back", task_run_name="take back the run", **COMPUTED)
def take_back(
    target: Target,
    migrations: tuple[Migration, ...],
    done: tuple[LedgerRow, ...],
    half_done: str | None = None,
) -> tuple[LedgerRow, ...]:
    """Undo what a run has done by the down scripts, the latest first.

    Args:
        target: The database.
        migrations: As discovered.
        done: The rows that the run has written, in order.
        half_done: The version that it was stopped in, with some of its statements committed.

    Returns:
        The rows that were erased.

    Raises:
        IrreversibleError: One of them has no down script; nothing was undone.
        ConfitureFlowsError: As `rollback_plan` does.
    """
    with (
        connect_guarded(target, "rollback") as (conn, guard),
        Materialized(conn, target) as tables,
        Chronicle(target) as chronicle,
    ):
        return engine.take_back(
            conn,
            target,
            migrations,
            done,
            half_done=half_done,
            observer=Observers(guard, chronicle, tables, current_observer()),
            another=another_connection(target),
        )
