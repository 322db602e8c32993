"""Task: target + plan -> what the plan would do, as a value and as an artifact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import task

from confiture_flows.dryrun.document import dry_run_document, verdict_line
from confiture_flows.dryrun.dry_run import dry_run
from confiture_flows.dryrun.on_target import DEFAULT_BUDGET
from confiture_flows.tasks._events import StageEvent, severities, tell
from confiture_flows.tasks._guard import Guard
from confiture_flows.tasks._policy import RETRIED
from confiture_flows.tasks.guarded import connect_guarded
from confiture_flows.tasks.publish import publish_document

if TYPE_CHECKING:
    from confiture_flows.dryrun.report import DryRunReport
    from confiture_flows.migrations.plan import Plan
    from confiture_flows.target import Target


@task(name="dry run plan", task_run_name="dry run {plan.span}", **RETRIED)
def dry_run_plan(
    target: Target,
    plan: Plan,
    *,
    on: str = "scratch",
    rows: int | None = None,
    prove: bool = True,
    budget: float = DEFAULT_BUDGET,
) -> DryRunReport:
    """See what a plan would do; the report is also written into an artifact of the run.

    Args:
        target: The database; only read, unless `on` is "target".
        plan: From `plan_migrations`.
        on: "static", "scratch" or "target"; see `confiture_flows.dryrun.dry_run`.
        rows: How many rows of each table to rehearse with at most.
        prove: Whether catalogs are compared and the ways back are gone.
        budget: Seconds for which locks may be held on the target.

    Raises:
        TargetError: The target does not answer, or refuses.
        RunCancelledError: Somebody cancelled the run.
        RunTimeoutError: The task's timeout_seconds are over.
    """
    with connect_guarded(target, "dry run") as (conn, _guard):
        report = dry_run(
            conn,
            plan,
            target=target,
            on=on,
            rows=rows,
            prove=prove,
            budget=budget,
            watch=Guard,
        )
    document = dry_run_document(report)
    publish_document("dry-run", target.name, document, document.title)
    tell(
        StageEvent.DRY_RUN,
        target.name,
        {
            "plan": plan.span,
            "direction": str(plan.direction),
            "verdict": verdict_line(report),
            "findings": severities(report.findings),
        },
    )
    return report
