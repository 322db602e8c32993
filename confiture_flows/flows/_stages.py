"""The stages as task runs: the lifecycle's callers inside a flow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast

from prefect import tags
from prefect.runtime import flow_run
from prefect.settings import get_current_settings
from prefect.states import Cancelled
from prefect.utilities.annotations import opaque
from prefect.utilities.urls import url_for

from confiture_flows import tasks
from confiture_flows.config import load_project
from confiture_flows.errors import (
    ApprovalRejectedError,
    ApprovalTimeoutError,
    ConfitureFlowsError,
)
from confiture_flows.flows._ended import REJECTED, TIMED_OUT
from confiture_flows.flows._hooks import hooks_of_run, publish_hooks_of
from confiture_flows.flows._run_name import name_run
from confiture_flows.flows._targets import resolve_target
from confiture_flows.migrations.hook_points import NO_HOOKS, HookPoints
from confiture_flows.migrations.lifecycle import Request, RunReport, RunSuspended, run_lifecycle
from confiture_flows.migrations.observer import current_observer
from confiture_flows.migrations.plain import applied_migrations
from confiture_flows.migrations.plan import Direction, Plan
from confiture_flows.migrations.texts import Texts
from confiture_flows.report.finding import Severity
from confiture_flows.tasks._events import StageEvent, severities, tell
from confiture_flows.tasks.publish import NOT_FAILED

if TYPE_CHECKING:
    from confiture_flows.dryrun.report import DryRunReport
    from confiture_flows.migrations.approval import ApprovalRule
    from confiture_flows.migrations.discovery import Directory
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.report.finding import Finding
    from confiture_flows.target import Target
    from confiture_flows.tasks.carry_out import Granularity

_Value = TypeVar("_Value")


def _whole(value: _Value) -> _Value:
    """An argument that Prefect need not look into for results of other task runs.

    It would visit each part of each migration, half a dozen times a run.
    """
    return cast("_Value", opaque(value))


@dataclass(frozen=True, slots=True)
class TaskStages:
    """Implements `Stages` with task runs.

    Attributes:
        target: The database, as it is configured.
        request: What to do.
        granularity: What becomes a task run.
        timeout_seconds: The longest that applying or rolling back may take.
        hooks: Called around each step.
        rehearsed: What a dry run has seen, for who approves; written by `rehearse`.
    """

    target: Target
    request: Request
    granularity: Granularity
    timeout_seconds: float | None
    hooks: HookPoints = NO_HOOKS
    rehearsed: list[DryRunReport] = field(default_factory=list)

    def discover(self) -> Directory:
        """Read the directory."""
        found = tasks.discover_migrations(
            self.request.directory,
            layout=self.request.layout,
            as_written=self.request.as_written,
            texts=Texts(self.target.placeholders, self.request.replaced, self.request.root),
        )
        said = {"layout": found.layout, "migrations": len(found.migrations)}
        tell(StageEvent.DISCOVERED, self.target.name, said)
        return found

    def read_ledger(self) -> tuple[LedgerRow, ...]:
        """Read what is applied."""
        return tasks.read_ledger(self.target)

    def validate(
        self, directory: Directory, rows: tuple[LedgerRow, ...], direction: Direction
    ) -> tuple[Finding, ...]:
        """Compare the two."""
        findings = tasks.validate_migrations(
            _whole(directory),
            _whole(rows),
            direction=direction,
            production=self.target.production,
            out_of_order=self.request.out_of_order or self.target.out_of_order,
            compare_with=self.target,
        )
        if direction is Direction.UP and load_project().lint.gate:
            linted = tasks.lint_migrations(_whole(directory), pending_on=self.target, history=False)
            findings = (*findings, *linted.plain)
        tell(StageEvent.VALIDATED, self.target.name, {"findings": severities(findings)})
        current_observer().found(findings)
        return findings

    def plan(self, directory: Directory, rows: tuple[LedgerRow, ...], direction: Direction) -> Plan:
        """Decide what to do."""
        plan = tasks.plan_migrations(
            _whole(directory), _whole(rows), direction=direction, to=self.request.to
        )
        said = {"direction": str(direction), "plan": plan.span, "migrations": len(plan.steps)}
        tell(StageEvent.PLANNED, self.target.name, said)
        name_run(plan, self.target.name)
        return plan

    def rehearse(self, plan: Plan) -> tuple[Finding, ...]:
        """Dry-run it, where the target says so."""
        target = self.request.applied_to(self.target)
        if target.dry_run == "off":
            return ()
        # A tenth of a second that only runs with a dry run pay.
        from confiture_flows.dryrun.dry_run import stop_if_unsafe

        report = tasks.dry_run_plan(target, _whole(plan), on=target.dry_run)
        self.rehearsed.append(report)
        stop_if_unsafe(report, Severity.of(target.fail_on))
        return report.findings

    def approve(self, plan: Plan, findings: tuple[Finding, ...]) -> None:
        """Have a person approve it, where the target or a hook says so."""
        project = load_project()
        if self.target.approve == "never" and not project.hooks:
            return
        from confiture_flows.flows._approval_rule import approval_rule

        self.have_approved(plan, findings, approval_rule(self.target, project, plan.direction))

    def have_approved(self, plan: Plan, findings: tuple[Finding, ...], rule: ApprovalRule) -> None:
        """Have a person approve it by a rule; raises what should stop the run."""
        from confiture_flows.flows._approval import PlanToApprove, have_approved

        rehearsed = self.rehearsed[-1] if self.rehearsed else None
        asked = PlanToApprove(self.target, plan, self.request, findings, self.hooks, rehearsed)
        have_approved(asked, rule)

    def apply(self, plan: Plan) -> tuple[LedgerRow, ...]:
        """Do it."""
        stage: Any = tasks.apply_plan if plan.direction is Direction.UP else tasks.rollback_plan
        if self.timeout_seconds:
            stage = stage.with_options(timeout_seconds=self.timeout_seconds)
        return stage(
            self.target,
            _whole(plan),
            granularity=self.granularity,
            single_transaction=self.request.single_transaction,
            hooks=_whole(self.hooks),
        )

    def take_back(
        self, directory: Directory, done: tuple[LedgerRow, ...], half_done: str | None
    ) -> tuple[LedgerRow, ...]:
        """Undo what the run has done, after it failed."""
        from confiture_flows.tasks.take_back import take_back

        return take_back(self.target, _whole(directory.migrations), _whole(done), half_done)

    def verify(self, directory: Directory, done: tuple[LedgerRow, ...]) -> tuple[Finding, ...]:
        """Check the migrations that were applied, as far as the target says."""
        if self.target.verify == "off":
            return ()
        history = directory.migrations if self.target.verify == "replay" else None
        checked = applied_migrations(directory, done)
        return tasks.verify_migrations(self.target, _whole(checked), history=_whole(history))

    def publish(self, report: RunReport, /) -> None:
        """Write the artifacts. After a failure nothing may hide the first error."""
        current_observer().ended(report)
        publish_hooks_of(self.hooks, report.target)
        tasks.publish_report(_whole(report), return_state=not report.ok)


def cancelled_state(error: ConfitureFlowsError) -> Any:
    """What a flow returns whose run ends by one of NOT_FAILED: the state that it ends in.

    The caller of the flow never sees it as a value.
    """
    match error:
        case ApprovalRejectedError():
            return Cancelled(name=REJECTED, message=str(error))
        case ApprovalTimeoutError():
            return Cancelled(name=TIMED_OUT, message=str(error))
        case _:
            return Cancelled(message=error.message)


def page_of_run() -> str | None:
    """The page of this flow run; that of an ephemeral server is gone when the run is."""
    return url_for("flow-run", flow_run.id) if get_current_settings().api.url else None


def run_flow(
    target: str,
    request: Request,
    direction: Direction,
    granularity: Granularity,
    timeout_seconds: float | None,
) -> RunReport:
    """The body that migrate_flow and rollback_flow share.

    Returns:
        The report.

    Raises:
        ConfitureFlowsError: A stage failed.
    """
    resolved = resolve_target(target)
    if url := page_of_run():
        current_observer().page(url)
    hooks = hooks_of_run(resolved, direction)
    stages = TaskStages(resolved, request, granularity, timeout_seconds, hooks)
    try:
        with tags(f"target:{resolved.name}"):
            return run_lifecycle(
                stages,
                target=resolved.name,
                direction=direction,
                gate=Severity.of(request.fail_on or resolved.fail_on),
                hooks=hooks,
                on_error=resolved.on_error,
            )
    except RunSuspended as suspended:
        raise suspended.signal from None
    except NOT_FAILED as error:
        return cancelled_state(error)
