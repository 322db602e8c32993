"""Task: directory + ledger rows -> findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import task

from confiture_flows.migrations.edits import with_edits
from confiture_flows.migrations.plan import Direction
from confiture_flows.migrations.validate import validate
from confiture_flows.target import connect
from confiture_flows.tasks._policy import COMPUTED, RETRIED

if TYPE_CHECKING:
    from confiture_flows.config import OutOfOrder
    from confiture_flows.migrations.discovery import Directory
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.report.finding import Finding
    from confiture_flows.target import Target


@task(name="validate migrations", task_run_name="validate", **(RETRIED | COMPUTED))
def validate_migrations(
    directory: Directory,
    rows: tuple[LedgerRow, ...],
    *,
    direction: Direction = Direction.UP,
    production: bool = False,
    out_of_order: OutOfOrder | None = None,
    compare_with: Target | None = None,
) -> tuple[Finding, ...]:
    """Compare files with history, and parse what is pending.

    Findings are returned, not raised; `stop_at_gate` turns them into an error.

    Args:
        directory: As discovered.
        rows: As read from the ledger.
        direction: Of the run to come.
        production: Makes a migration that would run out of order an error.
        out_of_order: Says so itself.
        compare_with: The target, to show what was edited line by line, and edits of down files.

    Raises:
        TargetError: The target does not answer, or refuses.
    """
    findings = validate(
        directory, rows, direction=direction, production=production, out_of_order=out_of_order
    )
    if compare_with is None:
        return findings
    with connect(compare_with, "validate") as conn:
        return with_edits(conn, compare_with.ledger, directory, findings)
