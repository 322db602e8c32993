"""Flow: undo what one run has applied before it failed."""

from __future__ import annotations

from dataclasses import replace

from prefect import flow, tags

from confiture_flows.config import load_project
from confiture_flows.errors import ConfitureFlowsError
from confiture_flows.flows._approval_rule import approval_rule
from confiture_flows.flows._project import project_of
from confiture_flows.flows._request import Transaction, make_request
from confiture_flows.flows._stages import TaskStages, cancelled_state, page_of_run
from confiture_flows.flows._targets import resolve_target
from confiture_flows.migrations.lifecycle import RunReport
from confiture_flows.migrations.observer import current_observer
from confiture_flows.migrations.plan import Direction
from confiture_flows.migrations.take_back import plan_to_take_back
from confiture_flows.tasks.publish import NOT_FAILED


@flow(name="take back", flow_run_name="take back {target}", validate_parameters=True)
def take_back_flow(
    target: str,
    versions: list[str],
    half_done: str | None = None,
    directory: str | None = None,
    layout: str | None = None,
    transaction: Transaction | None = None,
    project: str | None = None,
) -> RunReport:
    """Undo what one run has applied before it failed, and nothing else; no hook is called.

    A target whose plans may have to be approved has this approved in any case: nobody has looked
    for what speaks against it.

    Args:
        target: Name of a target in confiture.toml, or of a PostgresTarget block.
        versions: What the run has applied.
        half_done: The version that it was stopped in, with some of its statements committed.
        directory: Where the migrations are; as confiture.toml says when empty.
        layout: How they are written down; detected when empty.
        transaction: "as-written" lets files hold their own BEGIN and COMMIT.
        project: Name of a MigrationProject block; the worker's own project when empty.

    Returns:
        What was undone. A rejected or cancelled run ends in state Cancelled.

    Raises:
        ConfitureFlowsError: A stage failed. What was undone before stays undone.
    """
    with project_of(project):
        resolved = resolve_target(target)
        request = make_request(directory, layout, transaction, None)
        stages = TaskStages(resolved, request, "stage", None)
        if url := page_of_run():
            current_observer().page(url)
        try:
            with tags(f"target:{resolved.name}"):
                return _taken_back(stages, set(versions), half_done)
        except NOT_FAILED as error:
            return cancelled_state(error)


def _taken_back(stages: TaskStages, versions: set[str], half_done: str | None) -> RunReport:
    name = stages.target.name
    report = RunReport(name, Direction.DOWN)
    try:
        found = stages.discover()
        done = tuple(row for row in stages.read_ledger() if row.version in versions)
        applied = tuple(row.version for row in done)
        plan = plan_to_take_back(found.migrations, applied, half_done)
        report = replace(report, plan=plan)
        rule = approval_rule(stages.target, load_project(), Direction.DOWN)
        if rule.when != "never":
            stages.have_approved(plan, (), replace(rule, when="always"))
        report = replace(report, done=stages.take_back(found, done, half_done))
    except ConfitureFlowsError as error:
        stages.publish(replace(report, error=error))
        raise
    stages.publish(report)
    return report
