"""What applying and rolling back share as tasks: connection, observer, guard, granularity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from prefect import task
from prefect.runtime import flow_run

from confiture_flows.errors import ConfigError
from confiture_flows.migrations import apply
from confiture_flows.migrations.hook_points import NO_HOOKS, HookPoints
from confiture_flows.migrations.lookout import another_connection
from confiture_flows.migrations.observer import Observers, current_observer
from confiture_flows.migrations.plan import Direction
from confiture_flows.tasks._assets import Materialized
from confiture_flows.tasks._chronicle import Chronicle
from confiture_flows.tasks._policy import COMPUTED
from confiture_flows.tasks.guarded import connect_guarded

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.plan import Plan, Step
    from confiture_flows.target import Target

Granularity = Literal["stage", "migration"]


def carry_out(
    target: Target,
    plan: Plan,
    granularity: Granularity,
    *,
    single_transaction: bool = False,
    hooks: HookPoints = NO_HOOKS,
) -> tuple[LedgerRow, ...]:
    """Run a plan inside the current task run.

    Raises:
        ConfigError: Each migration a task run, and all of them one transaction.
    """
    if single_transaction and granularity == "migration":
        raise ConfigError(
            "In a single transaction no migration is done before all are, so none can be a task "
            "run of its own.",
            next_step='Leave out single_transaction, or granularity="migration".',
        )
    purpose = "migrate" if plan.direction is Direction.UP else "rollback"
    with (
        connect_guarded(target, purpose) as (conn, guard),
        Materialized(conn, target) as tables,
        Chronicle(target) as chronicle,
    ):
        return apply.apply_plan(
            conn,
            plan,
            limits=target.limits,
            ledger=target.ledger,
            observer=Observers(guard, chronicle, tables, current_observer()),
            run_step=_as_task_run if granularity == "migration" else apply.directly,
            another=another_connection(target),
            single_transaction=single_transaction,
            # The end of a task run tells of its migration at once.
            flush="commit" if granularity == "migration" else target.flush,
            hooks=hooks,
            name=f"Prefect flow run {flow_run.id}" if flow_run.id else None,
        )


def _as_task_run(step: Step, run: Callable[[], LedgerRow]) -> LedgerRow:
    # No retries here: the stage is retried as a whole, on a new connection.
    verb = "apply" if step.direction is Direction.UP else "roll back"
    name = f"{verb} migration"
    return task(name=name, task_run_name=f"{verb} {step.migration.label}", **COMPUTED)(run)()
