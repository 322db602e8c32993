"""What is left of a run that has ended: its stages, its artifacts, and which error ended it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    FlowRunFilter,
    FlowRunFilterId,
)
from prefect.client.schemas.sorting import TaskRunSort
from prefect.utilities.urls import url_for

from confiture_flows import errors
from confiture_flows.errors import (
    ApprovalRejectedError,
    ApprovalTimeoutError,
    ConfitureFlowsError,
    RunCancelledError,
    RunCrashedError,
    RunFailedError,
)
from confiture_flows.report.document import Document, Facts, Paragraph, Table
from confiture_flows.report.markdown import escape, render_markdown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun

REJECTED, TIMED_OUT = "Rejected", "Approval timed out"  # names of states of type Cancelled
# As Prefect writes it of a suspended run whose time is up.
_NEVER_RESUMED = "never resumed"
# As Prefect writes it: "Flow run encountered an exception: GateError: There are ...".
_RAISED = re.compile(r"encountered an exception:? (?P<name>\w+): (?P<rest>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class StageRun:
    """A task run; `seconds` is None when it never ran."""

    name: str
    state: str
    seconds: float | None


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A run that has ended.

    Attributes:
        run_id: Prefect's id of it.
        name: Of the run.
        url: Its page, if there are pages.
        state: The name of its last state.
        seconds: How long it ran.
        parameters: What it was called with; names, never secrets.
        stages: Its task runs, in the order in which they began.
        pages: Its artifacts that are Markdown.
        error: What ended it; None when it completed.
    """

    run_id: str
    name: str
    url: str | None
    state: str
    seconds: float
    parameters: Mapping[str, Any]
    stages: tuple[StageRun, ...]
    pages: tuple[str, ...]
    error: ConfitureFlowsError | None

    def markdown(self) -> str:
        """A summary for a pull request or the page of a CI job."""
        said = ", ".join(f"{key}={value}" for key, value in self.parameters.items())
        facts = [("state", self.state), ("took", f"{self.seconds:.1f} s")]
        facts += [("parameters", said)] if said else []
        facts += [("run", self.url)] if self.url else []
        error = [Paragraph(self.error.message, "bad")] if self.error else []
        rows = tuple(
            (each.name, each.state, "" if each.seconds is None else f"{each.seconds:.1f} s")
            for each in self.stages
        )
        stages = Table(("stage", "state", "time"), rows, empty="No stage has run.")
        document = Document(self.name, (*error, Facts(tuple(facts)), stages))
        return "\n".join([render_markdown(document), *self.pages])

    def json(self) -> dict[str, Any]:
        """The same as plain values; seconds as numbers."""
        return {
            "run_id": self.run_id,
            "name": self.name,
            "url": self.url,
            "state": self.state,
            "seconds": self.seconds,
            "parameters": dict(self.parameters),
            "stages": [
                {"name": each.name, "state": each.state, "seconds": each.seconds}
                for each in self.stages
            ],
        }


def read_end(client: SyncPrefectClient, run: FlowRun) -> EndedRun:
    """Read what a run that has ended has left on the server."""
    of_run = FlowRunFilter(id=FlowRunFilterId(any_=[run.id]))
    tasks = client.read_task_runs(flow_run_filter=of_run, sort=TaskRunSort.EXPECTED_START_TIME_DESC)
    artifacts = client.read_artifacts(
        artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run.id]))
    )
    stages = tuple(
        StageRun(
            each.name,
            each.state_name or "",
            each.total_run_time.total_seconds() if each.start_time else None,
        )
        for each in reversed(tasks)
    )
    pages = tuple(
        _titled(str(each.data), each.description)
        for each in sorted(artifacts, key=lambda each: str(each.created))
        if each.type == "markdown"
    )
    return EndedRun(
        run_id=str(run.id),
        name=run.name,
        url=url_for("flow-run", run.id),
        state=run.state_name or "",
        seconds=run.total_run_time.total_seconds(),
        parameters={key: value for key, value in run.parameters.items() if value is not None},
        stages=stages,
        pages=pages,
        error=_error_of(run),
    )


def _titled(page: str, description: str | None) -> str:
    """The Markdown of an artifact; its page has the description above it."""
    return page if page.startswith("# ") else f"# {escape(description or '')}\n\n{page}"


def _error_of(run: FlowRun) -> ConfitureFlowsError | None:
    """What ended a run, as the error that this process would have ended with."""
    state = run.state
    if state is None or state.is_completed():
        return None
    message = state.message or state.name or state.type.value
    if state.name == REJECTED:
        return ApprovalRejectedError(message)
    if state.name == TIMED_OUT or _NEVER_RESUMED in message:
        return ApprovalTimeoutError(message)
    if state.is_cancelled():
        return RunCancelledError(message)
    if state.is_crashed():
        return RunCrashedError(f"The process of the run is gone: {message}")
    if raised := _RAISED.search(message):
        kind = getattr(errors, raised["name"], None)
        if isinstance(kind, type) and issubclass(kind, ConfitureFlowsError):
            return kind(raised["rest"].strip())
        message = f"{raised['name']}: {raised['rest']}"
    return RunFailedError(message)
