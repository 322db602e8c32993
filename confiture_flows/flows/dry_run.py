"""Flow: see what migrate, or rollback, would do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from prefect import flow, tags
from prefect.utilities.annotations import opaque

from confiture_flows import tasks
from confiture_flows.config import GateName, OutOfOrder
from confiture_flows.dryrun.dry_run import stop_if_unsafe
from confiture_flows.dryrun.report import DryRunReport
from confiture_flows.flows._project import project_of
from confiture_flows.flows._request import Transaction, make_request
from confiture_flows.flows._stages import TaskStages
from confiture_flows.flows._targets import resolve_target
from confiture_flows.migrations.plan import Direction
from confiture_flows.migrations.validate import stop_at_gate
from confiture_flows.report.finding import Severity


@flow(name="dry run", flow_run_name="dry run {target}", validate_parameters=True)
def dry_run_flow(
    target: str,
    directory: str | None = None,
    layout: str | None = None,
    to: str | None = None,
    transaction: Transaction | None = None,
    back: bool = False,
    on: Literal["static", "scratch", "target"] = "scratch",
    fail_on: GateName | None = None,
    rows: int | None = None,
    prove: bool = True,
    budget: float = 2.0,
    out_of_order: OutOfOrder | None = None,
    project: str | None = None,
) -> DryRunReport:
    """See what the pending migrations of a directory would do to a target.

    Args:
        target: Name of a target in confiture.toml, or of a PostgresTarget block.
        directory: Where the migrations are; as confiture.toml says when empty.
        layout: How they are written down; detected when empty.
        to: The last version to look at; all when empty.
        transaction: "as-written" lets files hold their own BEGIN and COMMIT.
        back: Look at the way back instead.
        on: "static" executes nothing; "target" also executes on the target, and rolls back.
        fail_on: The severity at which findings fail the run; as the target says when empty.
        rows: How many rows of each table to rehearse with at most.
        prove: Whether catalogs are compared and the ways back are gone.
        budget: Seconds for which locks may be held on the target.
        out_of_order: What becomes of a migration that is pending although a later one is applied.
        project: Name of a MigrationProject block; the worker's own project when empty.

    Returns:
        The report, which is an artifact of the run too.

    Raises:
        RehearsalError: The plan would fail.
        GateError: There are findings at or above the gate.
    """
    with project_of(project):
        resolved = resolve_target(target)
        request = make_request(directory, layout, transaction, to, out_of_order)
        direction = Direction.DOWN if back else Direction.UP
        gate = Severity.of(fail_on or resolved.fail_on)
        stages = TaskStages(resolved, request, "stage", None)
        with tags(f"target:{resolved.name}"):
            found = stages.discover()
            ledger_rows = stages.read_ledger()
            findings = stages.validate(found, ledger_rows, direction)
            stop_at_gate(findings, Severity.of(resolved.fail_on))
            plan = stages.plan(found, ledger_rows, direction)
            # Prefect need not look into each part of each migration for results of other runs.
            whole: Any = opaque(plan)
            report = tasks.dry_run_plan(
                resolved, whole, on=on, rows=rows, prove=prove, budget=budget
            )
        report = replace(report, findings=(*findings, *report.findings))
        stop_if_unsafe(report, gate)
        return report
