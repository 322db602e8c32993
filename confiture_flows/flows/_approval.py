"""Have a person approve a plan: an artifact to read, and a form that resumes the run."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from contextvars import copy_context
from dataclasses import replace
from math import ceil
from threading import Event, Timer
from typing import TYPE_CHECKING, Any

from prefect import pause_flow_run, resume_flow_run, suspend_flow_run
from prefect.artifacts import create_markdown_artifact
from prefect.context import FlowRunContext
from prefect.exceptions import NotPausedError, Pause
from prefect.input import RunInput
from prefect.logging import get_run_logger
from prefect.settings import get_current_settings
from prefect.utilities.urls import url_for
from pydantic import Field

from confiture_flows.errors import ApprovalError, ApprovalRejectedError, ApprovalTimeoutError
from confiture_flows.migrations.approval import ApprovalRule, plan_hash
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

    from prefect.client.schemas.objects import FlowRun

    from confiture_flows.config import Project
    from confiture_flows.dryrun.report import DryRunReport
    from confiture_flows.migrations.plan import Plan
    from confiture_flows.report.finding import Finding
    from confiture_flows.target import Target

HOOK = "require_approval"
_EVERY = 2  # seconds between two looks at a run that waits in its process
_MARGIN = 300  # seconds after our own deadline, when Prefect's comes
_NOBODY = "nobody"

# What this process has seen approved: the run, and the hash of its plan.
approved: set[tuple[str, str]] = set()


class ApprovalForm(RunInput):
    """What the form asks for."""

    # Prefect's form shows no description beside a switch.
    approve: bool = Field(default=False, title="Approve the plan; off rejects it")
    name: str = Field(min_length=1, title="Your name", description="It stands in the run's log.")
    note: str = Field(default="", title="Note", description="Why; it stands in the log too.")


def approval_rule(target: Target, project: Project, direction: Direction) -> ApprovalRule:
    """When plans of a target have to be approved: as it says, or as a hook says more strictly."""
    rule = ApprovalRule(target.approve, target.approve_timeout)
    for hook in project.hooks:
        if hook.use != HOOK or (hook.targets and target.name not in hook.targets):
            continue
        if (hook.direction or "up") in ("both", str(direction)):
            from confiture_flows.flows.require_approval import rule_of

            rule = rule.or_stricter(rule_of(hook.options))
    return rule


def have_approved(
    target: Target,
    plan: Plan,
    findings: tuple[Finding, ...],
    rule: ApprovalRule,
    rehearsed: DryRunReport | None,
) -> None:
    """Wait until somebody has approved a plan; a run of a deployment is suspended for that.

    Args:
        target: Where it is to run.
        plan: What is to run; the approval is for exactly this.
        findings: What is known of it.
        rule: When it has to be approved.
        rehearsed: What a dry run has seen.

    Raises:
        ApprovalError: Somebody has rejected it, nobody has approved it in time, or it is another
            one by now.
        RunSuspended: The run ends here, and begins anew when somebody has answered.
    """
    if not rule.asks(findings):
        return
    number = plan_hash(plan, target.name)
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    if run is None or not get_current_settings().api.url:
        raise ApprovalError(
            f"{target.name} wants its plans approved, and without a Prefect server nobody can.",
            next_step="Start one, set PREFECT_API_URL, and run again.",
        )
    text = render_markdown(_document(target, plan, findings, rehearsed, number))
    if not run.deployment_id:
        url = url_for("flow-run", run.id)
        current_observer().said(f"Waiting for approval of {plan.span}: {url}")
    answer = _ask(target, plan, text, rule, number, run)
    note = f": {answer.note}" if answer.note else ""
    said = {"plan": plan.span, "hash": number, "name": answer.name, "note": answer.note}
    tell(
        StageEvent.APPROVAL_GIVEN if answer.approve else StageEvent.APPROVAL_REJECTED,
        target.name,
        said,
    )
    if not answer.approve:
        raise ApprovalRejectedError(
            f"{answer.name} rejected the plan {number}{note}",
            next_step="Nothing was done. Run again to ask again.",
        )
    get_run_logger().info("%s approved the plan %s%s", answer.name, number, note)
    # Scripts are read again when they run, and a way back is compared with nothing.
    if plan_hash(plan, target.name) != number:
        raise ApprovalError(
            f"The scripts of the plan {number} were changed while it waited.",
            next_step="Nothing was done. Run again, to have approved what they say now.",
        )
    approved.add((str(run.id), number))


def _ask(
    target: Target, plan: Plan, text: str, rule: ApprovalRule, number: str, run: FlowRun
) -> ApprovalForm:
    words = f"Approve {count(len(plan.steps))} on {target.name}? Plan {number}."
    # Prefect's dialog is narrow, and cuts what is long without a sign of it.
    more = f"All of it is in the artifact {artifact_key('approval', target.name)}, and below."
    form: Any = ApprovalForm.with_initial_data(description=f"{words} {more}\n\n{text}")
    given: dict[str, Any] = {"wait_for_input": form, "key": number}
    if run.deployment_id:
        return _answered_or_suspended(
            target, plan, text, words, {**given, "timeout": ceil(rule.timeout)}
        )
    _publish(target, plan, text, words, number)
    with _deadline(run, rule.timeout) as over:
        answer: Any = pause_flow_run(
            poll_interval=_EVERY, timeout=ceil(rule.timeout) + _MARGIN, **given
        )
    if over.is_set() and answer.name == _NOBODY:
        tell(StageEvent.APPROVAL_TIMED_OUT, target.name, {"plan": plan.span, "hash": number})
        raise ApprovalTimeoutError(
            f"Nobody approved the plan {number} within {rule.timeout:g} s.",
            next_step="Nothing was done. Run again to ask again.",
        )
    return answer


@contextmanager
def _deadline(run: FlowRun, seconds: float) -> Iterator[Event]:
    """Answer in nobody's name when the time is up.

    When Prefect's own time of a pause is up, the run can only end as Failed.
    """
    over = Event()

    def answer() -> None:
        over.set()
        with suppress(NotPausedError):  # somebody was faster
            resume_flow_run(run.id, run_input={"approve": False, "name": _NOBODY, "note": ""})

    # The settings that name the server belong to this context.
    timer = Timer(seconds, copy_context().run, args=(answer,))
    timer.daemon = True
    timer.start()
    try:
        yield over
    finally:
        timer.cancel()


def _answered_or_suspended(
    target: Target, plan: Plan, text: str, words: str, given: dict[str, Any]
) -> ApprovalForm:
    try:
        answer: Any = suspend_flow_run(**given)
        return answer
    except Pause as signal:
        _publish(target, plan, text, words, given["key"])
        raise RunSuspended(signal) from None


def _publish(target: Target, plan: Plan, text: str, words: str, number: str) -> None:
    tell(StageEvent.APPROVAL_ASKED, target.name, {"plan": plan.span, "hash": number})
    create_markdown_artifact(
        key=artifact_key("approval", target.name),
        markdown=text,
        description=words,
        _sync=True,  # pyright: ignore[reportCallIssue]
    )


def _way_back_of_a_failure(target: Target, plan: Plan) -> tuple[Paragraph, ...]:
    if target.on_error == "keep" or plan.direction is Direction.DOWN:
        return ()
    said = "If it fails, what it has applied is rolled back by the down scripts, unasked."
    return (Paragraph(said),)


def _document(
    target: Target,
    plan: Plan,
    findings: tuple[Finding, ...],
    rehearsed: DryRunReport | None,
    number: str,
) -> Document:
    shown = plan_document(plan, target.name)
    rows = tuple(
        (each.severity.label, each.code, each.message, each.location.short if each.location else "")
        for each in findings
    )
    if rehearsed is None:
        verdict = "none; the target's setting dry_run asks for one"
    else:
        from confiture_flows.dryrun.document import verdict_line

        verdict = verdict_line(rehearsed)
    word = "roll back" if plan.direction is Direction.DOWN else "apply"
    return replace(
        shown,
        title=f"To {word} on {target.name}: {plan.span}",
        blocks=(
            Facts((("Plan", number), ("Target", target.name), ("Dry run", verdict))),
            *shown.blocks,
            Paragraph("Findings"),
            Table(("severity", "code", "what", "where"), rows, empty="Nothing was found."),
            *_way_back_of_a_failure(target, plan),
            Paragraph(
                "The approval is for this plan: when a script or what is applied changes, it holds "
                "no more."
            ),
        ),
    )
