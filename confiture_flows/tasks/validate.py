"""Task: directory + ledger rows -> findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import task

from confiture_flows.migrations.plan import Direction
from confiture_flows.migrations.validate import validate
from confiture_flows.tasks._policy import COMPUTED

if TYPE_CHECKING:
    from confiture_flows.config import OutOfOrder
    from confiture_flows.migrations.discovery import Directory
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.report.finding import Finding


@task(name="validate migrations", task_run_name="validate", **COMPUTED)
def validate_migrations(
    directory: Directory,
    rows: tuple[LedgerRow, ...],
    *,
    direction: Direction = Direction.UP,
    production: bool = False,
    out_of_order: OutOfOrder | None = None,
) -> tuple[Finding, ...]:
    """Compare files with history, and parse what is pending.

    Findings are returned, not raised; `stop_at_gate` turns them into an error.
    """
    return validate(
        directory, rows, direction=direction, production=production, out_of_order=out_of_order
    )
