"""Have a person approve a plan: an artifact to read, and a form that resumes the run."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from httpx import HTTPError
from prefect import pause_flow_run, resume_flow_run, suspend_flow_run
from prefect.artifacts import create_markdown_artifact
from prefect.context import FlowRunContext
from prefect.exceptions import NotPausedError, Pause, PrefectException
from prefect.input import RunInput
from prefect.logging import get_run_logger
from prefect.settings import get_current_settings
from prefect.utilities.urls import url_for
from pydantic import Field

from confiture_flows.errors import ApprovalError, ApprovalRejectedError, ApprovalTimeoutError
from confiture_flows.flows._approval_rule import approved
from confiture_flows.migrations.approval import approval_number, plan_hash, takes_back
from confiture_flows.migrations.lifecycle import RunSuspended
from confiture_flows.migrations.observer import current_observer
from confiture_flows.migrations.plan import Direction
from confiture_flows.migrations.report import count, plan_document
from confiture_flows.report.document import Document, Facts, Paragraph, Table
from confiture_flows.report.markdown import render_markdown
from confiture_flows.tasks._events import StageEvent, tell
from confiture_flows.tasks.publish import artifact_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from logging import Logger, LoggerAdapter

    from prefect.client.schemas.objects import FlowRun

    from confiture_flows.dryrun.report import DryRunReport
    from confiture_flows.migrations.approval import ApprovalRule
    from confiture_flows.migrations.hook_points import HookPoints
    from confiture_flows.migrations.lifecycle import Request
    from confiture_flows.migrations.plan import Plan
    from confiture_flows.report.finding import Finding
    from confiture_flows.target import Target

    _Logger = Logger | LoggerAdapter[Any]

_EVERY = 2  # seconds between two looks at a run that waits in its process
_MARGIN = 300  # seconds after our own deadline, when Prefect's comes
_NOBODY = "nobody"
_AGAIN = 5.0  # seconds until a server that did not answer is asked again


class ApprovalForm(RunInput):
    """What the form asks for."""

    # Prefect's form shows no description beside a switch.
    approve: bool = Field(default=False, title="Approve the plan; off rejects it")
    name: str = Field(min_length=1, title="Your name", description="It stands in the run's log.")
    note: str = Field(default="", title="Note", description="Why; it stands in the log too.")


@dataclass(frozen=True)
class PlanToApprove:
    """What somebody is asked about.

    Attributes:
        target: Where it is to run, as it is configured.
        plan: What is to run.
        request: How, and what the run was told instead of what the target says.
        findings: What is known of it.
        hooks: What is called around it.
        rehearsed: What a dry run has seen.
    """

    target: Target
    plan: Plan
    request: Request
    findings: tuple[Finding, ...]
    hooks: HookPoints
    rehearsed: DryRunReport | None = None

    @cached_property
    def number(self) -> str:
        """What the approval is for, as it is when it is first asked for."""
        return self.number_now()

    def number_now(self) -> str:
        """The same of what files and hooks say by now."""
        return approval_number(self.plan, self.target, self.request, self.hooks)

    @property
    def question(self) -> str:
        """What stands above the form."""
        many = count(len(self.plan.steps))
        undone = self.plan.direction is Direction.DOWN
        do = "Approve to roll back" if undone else "Approve"
        return f"{do} {many} on {self.target.name}? Plan {self.number}."

    @property
    def artifact(self) -> str:
        """The key of the artifact that shows all of it."""
        return artifact_key("approval", self.target.name)

    def tell(self, event: StageEvent, **more: str) -> None:
        """Tell what becomes of it."""
        tell(event, self.target.name, {"plan": self.plan.span, "hash": self.number, **more})

    def publish(self) -> None:
        """Write the artifact, and tell that somebody is asked."""
        self.tell(StageEvent.APPROVAL_ASKED)
        create_markdown_artifact(
            key=self.artifact,
            markdown=self.text,
            description=self.question,
            _sync=True,  # pyright: ignore[reportCallIssue]
        )

    @cached_property
    def text(self) -> str:
        """All that is known of it, in Markdown."""
        return render_markdown(_document(self))


def have_approved(asked: PlanToApprove, rule: ApprovalRule) -> None:
    """Wait until somebody has approved a plan; a run of a deployment is suspended for that.

    Args:
        asked: What is to run; the approval is for exactly this.
        rule: When it has to be approved.

    Raises:
        ApprovalError: Somebody has rejected it, nobody has approved it in time, or it is another
            one by now.
        RunSuspended: The run ends here, and begins anew when somebody has answered.
    """
    target, plan = asked.target, asked.plan
    if not rule.asks_of_run(target, asked.request, asked.findings):
        return
    number = asked.number
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    if run is None or not get_current_settings().api.url:
        raise ApprovalError(
            f"{target.name} wants its plans approved, and without a Prefect server nobody can.",
            next_step="Start one, set PREFECT_API_URL, and run again.",
        )
    if not run.deployment_id:
        url = url_for("flow-run", run.id)
        current_observer().said(f"Waiting for approval of {plan.span}: {url}")
    answer = _ask(asked, rule, run)
    note = f": {answer.note}" if answer.note else ""
    event = StageEvent.APPROVAL_GIVEN if answer.approve else StageEvent.APPROVAL_REJECTED
    asked.tell(event, name=answer.name, note=answer.note)
    if not answer.approve:
        raise ApprovalRejectedError(
            f"{answer.name} rejected the plan {number}{note}",
            next_step="Nothing was done. Run again to ask again.",
        )
    get_run_logger().info("%s approved the plan %s%s", answer.name, number, note)
    # Scripts are read again when they run, and a way back is compared with nothing.
    if asked.number_now() != number:
        raise ApprovalError(
            f"What the plan {number} would do was changed while it waited: a script, or a file of "
            "a hook.",
            next_step="Nothing was done. Run again, to have approved what they say now.",
        )
    approved.add((str(run.id), plan_hash(plan, target.name)))


def _ask(asked: PlanToApprove, rule: ApprovalRule, run: FlowRun) -> ApprovalForm:
    # Prefect's dialog is narrow, and cuts what is long without a sign of it.
    more = f"All of it is in the artifact {asked.artifact}, and below."
    form: Any = ApprovalForm.with_initial_data(
        description=f"{asked.question} {more}\n\n{asked.text}"
    )
    given: dict[str, Any] = {"wait_for_input": form, "key": asked.number}
    if run.deployment_id:
        return _answered_or_suspended(asked, {**given, "timeout": ceil(rule.timeout)})
    asked.publish()
    with _deadline(run, rule.timeout, get_run_logger()) as over:
        answer: Any = pause_flow_run(
            poll_interval=_EVERY, timeout=ceil(rule.timeout) + _MARGIN, **given
        )
    if over.is_set() and answer.name == _NOBODY:
        asked.tell(StageEvent.APPROVAL_TIMED_OUT)
        raise ApprovalTimeoutError(
            f"Nobody approved the plan {asked.number} within {rule.timeout:g} s.",
            next_step="Nothing was done. Run again to ask again.",
        )
    return answer


@contextmanager
def _deadline(run: FlowRun, seconds: float, logger: _Logger) -> Iterator[Event]:
    """Answer in nobody's name when the time is up; a server that is away is asked again.

    When Prefect's own time of a pause is up, the run can only end as Failed.
    """
    over, answered = Event(), Event()

    def answer() -> None:
        if answered.wait(seconds):
            return
        over.set()
        while True:
            try:
                resume_flow_run(run.id, run_input={"approve": False, "name": _NOBODY, "note": ""})
            except NotPausedError:  # somebody was faster
                return
            except (PrefectException, HTTPError, OSError) as error:
                logger.warning(
                    "The time to approve is up, and the server cannot be told: %s", error
                )
            else:
                return
            if answered.wait(_AGAIN):
                return

    # The settings that name the server belong to this context.
    thread = Thread(target=copy_context().run, args=(answer,), daemon=True)
    thread.start()
    try:
        yield over
    finally:
        answered.set()


def _answered_or_suspended(asked: PlanToApprove, given: dict[str, Any]) -> ApprovalForm:
    try:
        answer: Any = suspend_flow_run(**given)
        return answer
    except Pause as signal:
        asked.publish()
        raise RunSuspended(signal) from None


def _after_a_failure(asked: PlanToApprove) -> str:
    if asked.plan.direction is Direction.DOWN:
        return "If it fails, what it has rolled back stays rolled back."
    if not takes_back(asked.target, asked.plan, asked.hooks):
        return "If it fails, what it has applied stays applied; to roll that back is asked anew."
    why = "" if asked.target.on_error == "rollback" else " of a hook"
    without = [each.migration.label for each in asked.plan.steps if each.migration.down is None]
    stays = f" No down script has: {', '.join(without)}." if without else ""
    return (
        f"After a failure{why}, what it has applied is rolled back by the down scripts; that is "
        f"approved with it.{stays}"
    )


def _document(asked: PlanToApprove) -> Document:
    plan, target = asked.plan, asked.target
    shown = plan_document(plan, target.name)
    rows = tuple(
        (each.severity.label, each.code, each.message, each.location.short if each.location else "")
        for each in asked.findings
    )
    if asked.rehearsed is None:
        verdict = "none; the target's setting dry_run asks for one"
    else:
        from confiture_flows.dryrun.document import verdict_line

        verdict = verdict_line(asked.rehearsed)
    word = "roll back" if plan.direction is Direction.DOWN else "apply"
    return replace(
        shown,
        title=f"To {word} on {target.name}: {plan.span}",
        blocks=(
            Facts((("Plan", asked.number), ("Target", target.name), ("Dry run", verdict))),
            *shown.blocks,
            Paragraph("Findings"),
            Table(("severity", "code", "what", "where"), rows, empty="Nothing was found."),
            Paragraph(_after_a_failure(asked)),
            Paragraph(
                "The approval is for this plan: when a script, a value in it, a hook, or what is "
                "applied changes, it holds no more."
            ),
        ),
    )
