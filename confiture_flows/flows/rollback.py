"""Flow: undo what was applied."""

from __future__ import annotations

from prefect import flow

from confiture_flows.flows._hooks import run_error_hooks
from confiture_flows.flows._project import project_of
from confiture_flows.flows._request import Transaction, make_request
from confiture_flows.flows._stages import run_flow
from confiture_flows.migrations.lifecycle import RunReport
from confiture_flows.migrations.plan import Direction
from confiture_flows.tasks.carry_out import Granularity


@flow(
    name="rollback",
    flow_run_name="rollback {target}",
    validate_parameters=True,
    on_crashed=[run_error_hooks],
)
def rollback_flow(
    target: str,
    directory: str | None = None,
    layout: str | None = None,
    to: str | None = None,
    transaction: Transaction | None = None,
    granularity: Granularity = "stage",
    timeout_seconds: float | None = None,
    single_transaction: bool = False,
    project: str | None = None,
) -> RunReport:
    """Undo the latest migration of a target, or all after a version.

    Args:
        target: Name of a target in confiture.toml, or of a PostgresTarget block.
        directory: Where the migrations are; as confiture.toml says when empty.
        layout: How they are written down; detected when empty.
        to: The last version to keep; "zero" keeps none; one step back when empty.
        transaction: "as-written" lets files hold their own BEGIN and COMMIT.
        granularity: "migration" makes each migration a task run of its own.
        timeout_seconds: The longest that the rollback may take; its query ends with it.
        single_transaction: Whether all of it is one transaction, ledger rows included; refused
            when a statement cannot be in it.
        project: Name of a MigrationProject block; the worker's own project when empty.

    Returns:
        What was undone. A cancelled run ends in state Cancelled; its caller gets CancelledRun.

    Raises:
        ConfitureFlowsError: A stage failed. What was undone before stays undone.
    """
    with project_of(project):
        request = make_request(
            directory, layout, transaction, to, single_transaction=single_transaction
        )
        return run_flow(target, request, Direction.DOWN, granularity, timeout_seconds)
