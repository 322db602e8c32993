"""Task: directory + ledger rows -> plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import task

from confiture_flows.migrations.plain import make_plan
from confiture_flows.migrations.plan import Direction, Plan
from confiture_flows.tasks._policy import COMPUTED

if TYPE_CHECKING:
    from confiture_flows.migrations.discovery import Directory
    from confiture_flows.migrations.ledger import LedgerRow


@task(name="plan migrations", task_run_name="plan {direction}", **COMPUTED)
def plan_migrations(
    directory: Directory,
    rows: tuple[LedgerRow, ...],
    *,
    direction: Direction = Direction.UP,
    to: str | None = None,
) -> Plan:
    """Decide which migrations to apply or roll back, and in which order.

    Args:
        directory: As discovered.
        rows: As read from the ledger.
        direction: Up applies, down rolls back.
        to: The version to reach; None is all the way up, or one step back.

    Raises:
        PlanError: There is no such version, or it lies in the other direction.
        IrreversibleError: A migration on the way back has no down script.
    """
    return make_plan(directory, rows, direction, to)
