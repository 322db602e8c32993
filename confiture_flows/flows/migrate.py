"""Flow: apply what is pending."""

from __future__ import annotations

from pathlib import Path

from prefect import flow

from confiture_flows.config import DryRunName, GateName, OutOfOrder
from confiture_flows.flows._hooks import run_error_hooks
from confiture_flows.flows._plan_file import named_after, planned, required
from confiture_flows.flows._project import project_of
from confiture_flows.flows._request import Transaction, make_request
from confiture_flows.flows._stages import run_flow
from confiture_flows.migrations.lifecycle import RunReport
from confiture_flows.migrations.plan import Direction
from confiture_flows.tasks.carry_out import Granularity


@flow(
    name="migrate",
    flow_run_name=named_after("migrate"),
    validate_parameters=True,
    on_crashed=[run_error_hooks],
)
def migrate_flow(
    target: str | None = None,
    directory: str | None = None,
    layout: str | None = None,
    to: str | None = None,
    transaction: Transaction | None = None,
    granularity: Granularity = "stage",
    timeout_seconds: float | None = None,
    out_of_order: OutOfOrder | None = None,
    single_transaction: bool = False,
    dry_run: DryRunName | None = None,
    fail_on: GateName | None = None,
    project: str | None = None,
    plan_file: str | None = None,
) -> RunReport:
    """Apply the pending migrations of a directory to a target.

    Args:
        target: Name of a target in confiture.toml, or of a PostgresTarget block.
        directory: Where the migrations are; as confiture.toml says when empty.
        layout: How they are written down; detected when empty.
        to: The last version to apply; all when empty.
        transaction: "as-written" lets files hold their own BEGIN and COMMIT.
        granularity: "migration" makes each migration a task run of its own.
        timeout_seconds: The longest that the apply stage may take; its query ends with it.
        out_of_order: "refuse" or "apply" a migration that is pending although a later one is
            applied; as the target says when empty.
        single_transaction: Whether all of it is one transaction, ledger rows included; refused
            when a statement cannot be in it.
        dry_run: How far a dry run goes before anything is applied, "off", "static" or "scratch";
            its findings may stop the run. As the target says when empty.
        fail_on: The severity at which findings stop the run; as the target says when empty.
        project: Name of a MigrationProject block; the worker's own project when empty.
        plan_file: What the wizard has saved; it says what the parameters before it leave empty.

    Returns:
        What was done. A cancelled run ends in state Cancelled; its caller gets CancelledRun.

    Raises:
        ConfitureFlowsError: A stage failed. What was applied before stays applied.
    """
    with project_of(project):
        if plan := planned(plan_file, "migrate"):
            said, target = plan.migrations, target or plan.target
            dry_run, fail_on = dry_run or said.dry_run, fail_on or plan.fail_on
            layout, to = layout or said.layout, to or said.to
            if said.directory:
                directory = directory or str(Path(str(plan_file)).parent / said.directory)
        request = make_request(
            directory,
            layout,
            transaction,
            to,
            out_of_order,
            single_transaction=single_transaction,
            dry_run=dry_run,
            fail_on=fail_on,
        )
        return run_flow(required(target), request, Direction.UP, granularity, timeout_seconds)
