"""Task: target + plan -> ledger rows erased."""

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


@task(name="roll back plan", task_run_name="roll back {plan.span}", **RETRIED)
def rollback_plan(
    target: Target,
    plan: Plan,
    *,
    granularity: Granularity = "stage",
    single_transaction: bool = False,
    hooks: HookPoints = NO_HOOKS,
) -> tuple[LedgerRow, ...]:
    """Undo the migrations of a plan, each in one transaction with its ledger row.

    Args:
        target: The database.
        plan: From `plan_migrations`, direction down.
        granularity: "migration" makes each migration a task run of its own.
        single_transaction: Whether all of them are one transaction, and stand or fall together.
        hooks: Called around each migration.

    Returns:
        The rows that were erased.

    Raises:
        ConfitureFlowsError: As `apply_plan` does.
    """
    return carry_out(target, plan, granularity, single_transaction=single_transaction, hooks=hooks)
