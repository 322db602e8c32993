"""A dry run as a stage of migrate: its findings, or its error, before anything is applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.dryrun.dry_run import dry_run, stop_if_unsafe
from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.migrations.plan import Plan
    from confiture_flows.report.finding import Finding
    from confiture_flows.target import Target


def rehearse_first(conn: Connection, target: Target, plan: Plan) -> tuple[Finding, ...]:
    """Dry-run a plan as far as the target says, and stop what should not run.

    Args:
        conn: The target; in autocommit. Only read.
        target: Where `conn` leads; its `dry_run` says how far to go.
        plan: What is about to run.

    Returns:
        What was found, below the target's gate.

    Raises:
        RehearsalError: The plan would fail.
        GateError: There are findings at or above the target's gate.
    """
    if target.dry_run == "off":
        return ()
    report = dry_run(conn, plan, target=target, on=target.dry_run)
    stop_if_unsafe(report, Severity.of(target.fail_on))
    return report.findings
