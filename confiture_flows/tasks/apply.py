"""Task: target + plan -> ledger rows written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import task

from confiture_flows.migrations.hook_points import NO_HOOKS, HookPoints
from confiture_flows.tasks._policy import RETRIED
from confiture_flows.tasks.carry_out import Granularity, carry_out

if TYPE_CHECKING:
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.plan import Plan
    from confiture_flows.target import Target


@task(name="apply plan", task_run_name="apply {plan.span}", **RETRIED)
def apply_plan(
    target: Target,
    plan: Plan,
    *,
    granularity: Granularity = "stage",
    single_transaction: bool = False,
    hooks: HookPoints = NO_HOOKS,
) -> tuple[LedgerRow, ...]:
    """Apply the migrations of a plan, each in one transaction with its ledger row.

    May be given the same plan again: what the ledger already has is skipped.

    Args:
        target: The database.
        plan: From `plan_migrations`, direction up.
        granularity: "migration" makes each migration a task run of its own.
        single_transaction: Whether all of them are one transaction, and stand or fall together.
        hooks: Called around each migration.

    Returns:
        A row a step.

    Raises:
        ApplyError: A statement failed; its migration was rolled back, those before it stay.
        LockError: Another run or a busy table outlasted the run's patience.
        TargetError: The target does not answer, or refuses.
        RunCancelledError: Somebody cancelled the run.
        RunTimeoutError: The task's timeout_seconds are over.
    """
    return carry_out(target, plan, granularity, single_transaction=single_transaction, hooks=hooks)
