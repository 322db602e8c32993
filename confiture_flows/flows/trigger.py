"""Start a run of a deployment, follow it to its end, and tell how it went."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from httpx import HTTPError
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterParentFlowRunId,
    LogFilter,
    LogFilterFlowRunId,
    LogFilterTimestamp,
)
from prefect.client.schemas.sorting import LogSort
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.states import Cancelling
from prefect.utilities.urls import url_for

from confiture_flows.errors import (
    ConfigError,
    RunCancelledError,
    RunStillGoingError,
)
from confiture_flows.flows._ended import EndedRun, read_end
from confiture_flows.flows._server import prefect_server, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun, Log
    from prefect.client.schemas.responses import DeploymentResponse

_EVERY = 1.0  # seconds between two looks at a run
_LATE_LINES = timedelta(seconds=10)  # lines of a log may arrive after later ones
_SILENCE = 60.0  # seconds of a server that does not answer, before we give up
_UNTAKEN = 15.0  # seconds after which a run that nobody takes is worth a hint


class Listener(Protocol):
    """Hears of a run that is followed."""

    def state(self, name: str, message: str) -> None:
        """The run is in another state, or something about it has to be known."""
        ...

    def log(self, at: datetime, level: int, message: str) -> None:
        """A line of its log."""
        ...


@dataclass(frozen=True, slots=True)
class Follow:
    """How a run is followed.

    Attributes:
        timeout: The longest that we wait, in seconds; None waits for ever.
        cancel_on_timeout: Whether the run is cancelled then.
    """

    timeout: float | None = None
    cancel_on_timeout: bool = False


def trigger_run(
    deployment: str, parameters: Mapping[str, Any], follow: Follow, listener: Listener
) -> EndedRun:
    """Start a run of a deployment and wait until it has ended.

    Args:
        deployment: "flow/deployment", or the deployment's name where only one has it.
        parameters: Those of the flow that are not to be the deployment's own.
        follow: How long.
        listener: Hears of it.

    Returns:
        How it ended; its `error` is None exactly when it completed.

    Raises:
        ConfigError: There is no such deployment, or it does not take these parameters.
        PrefectUnreachableError: No server is configured, or it does not answer.
        RunStillGoingError: The time to wait was up.
        RunCancelledError: Ctrl-C; the run goes on.
    """
    with prefect_server("A run that was started goes on.") as client:
        run = _start(client, _find(client, deployment), parameters)
        listener.state("Created", url_for("flow-run", run.id) or str(run.id))
        try:
            return _Following(client, run.id, follow, listener).to_the_end()
        except KeyboardInterrupt:
            raise RunCancelledError(
                "Interrupted; the run goes on.",
                next_step=f"To stop it: prefect flow-run cancel {run.id}",
            ) from None


def _find(client: SyncPrefectClient, name: str) -> DeploymentResponse:
    if "/" in name:
        try:
            return client.read_deployment_by_name(name)
        except ObjectNotFound:
            found = []
    else:
        found = client.read_deployments(
            deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[name]))
        )
    if len(found) == 1:
        return found[0]
    if found:
        flows = sorted(f"{client.read_flow(each.flow_id).name}/{name}" for each in found)
        raise ConfigError(
            f"Several flows have a deployment {name!r}.", next_step=f"Name: {', '.join(flows)}."
        )
    known = sorted(
        f"{client.read_flow(each.flow_id).name}/{each.name}"
        for each in client.read_deployments(limit=20)
    )
    raise ConfigError(
        f"There is no deployment {name!r}.",
        next_step=f"There are: {', '.join(known)}."
        if known
        else "None is on this server; create it with `confiture-flows deploy` or `prefect deploy`.",
    )


def _start(
    client: SyncPrefectClient, deployment: DeploymentResponse, parameters: Mapping[str, Any]
) -> FlowRun:
    schema = deployment.parameter_openapi_schema or {}
    known = schema.get("properties", {})
    if known and (unknown := sorted(set(parameters) - set(known))):
        raise ConfigError(
            f"The flow has no parameter {', '.join(unknown)}.",
            next_step=f"It has: {', '.join(sorted(known))}.",
        )
    try:
        return client.create_flow_run_from_deployment(
            deployment.id, parameters=dict(parameters), tags=["triggered"]
        )
    except PrefectHTTPStatusError as error:
        if error.response.status_code not in (409, 422):
            raise
        raise ConfigError(
            f"The deployment does not take these parameters: {refusal(error)}",
            next_step="See --param, and the deployment's page.",
        ) from None


class _Following:
    """One run, looked at until it has ended."""

    def __init__(
        self, client: SyncPrefectClient, run_id: UUID, follow: Follow, listener: Listener
    ) -> None:
        self._client = client
        self._run_id = run_id
        self._follow = follow
        self._listener = listener
        self._lines: set[UUID] = set()
        self._since: datetime | None = None
        self._state = ""
        self._below: dict[UUID, str | None] = {}  # runs of other flows within it, and their states
        self._begun = self._answered = time.monotonic()
        self._hinted = False
        self._untaken_since: float | None = None

    def to_the_end(self) -> EndedRun:
        while True:
            run = self._patiently(self._look)
            if run is not None and run.state is not None and run.state.is_final():
                # Lines that a worker still held when the run had ended.
                time.sleep(_EVERY)
                self._patiently(self._read_log)
                return self._read_end(run)
            waited = time.monotonic() - self._begun
            if self._follow.timeout is not None and waited >= self._follow.timeout:
                raise self._too_late()
            time.sleep(_EVERY)

    def _read_end(self, run: FlowRun) -> EndedRun:
        while True:
            ended = self._patiently(lambda: read_end(self._client, run))
            if ended is not None:
                return ended
            time.sleep(_EVERY)

    def _look(self) -> FlowRun:
        run = self._client.read_flow_run(self._run_id)
        self._tell_state(run)
        self._look_below()
        self._read_log()
        return run

    def _look_below(self) -> None:
        """Runs of other flows within this one have logs of their own, and may wait for answers."""
        of_it = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[self._run_id]))
        for each in self._client.read_flow_runs(flow_run_filter=of_it):
            waits = each.state is not None and each.state.is_paused()
            if waits and self._below.get(each.id) != each.state_name:
                self._listener.state(f"{each.name}: {each.state_name}", _where_to_answer(each))
            self._below[each.id] = each.state_name

    def _patiently(self, ask: Callable[[], Any]) -> Any:
        """Ask the server; what it does not answer for a while is not the end of the run."""
        try:
            answer = ask()
        except (HTTPError, OSError):
            if time.monotonic() - self._answered > _SILENCE:
                raise
            return None
        self._answered = time.monotonic()
        return answer

    def _tell_state(self, run: FlowRun) -> None:
        name = run.state_name or ""
        if name != self._state:
            self._state = name
            message = (run.state.message if run.state else None) or ""
            if run.state is not None and run.state.is_paused():
                message = _where_to_answer(run)
            self._listener.state(name, message)
        # A run that waits for its next try, or for others, is in good hands.
        if run.state is None or not run.state.is_scheduled() or name.startswith("Awaiting"):
            self._untaken_since = None
            return
        if self._untaken_since is None:
            self._untaken_since = time.monotonic()
        if not self._hinted and time.monotonic() - self._untaken_since > _UNTAKEN:
            self._hinted = True
            pool = run.work_pool_name
            self._listener.state(
                name,
                f"Nobody has taken the run. Is a worker running? prefect worker start --pool {pool}"
                if pool
                else "Nobody has taken the run. Is the process that serves the deployment running?",
            )

    def _read_log(self) -> None:
        after = self._since - _LATE_LINES if self._since else None
        while True:
            lines = self._client.read_logs(
                LogFilter(
                    flow_run_id=LogFilterFlowRunId(any_=[self._run_id, *self._below]),
                    timestamp=LogFilterTimestamp(after_=after) if after else None,  # pyright: ignore[reportArgumentType]
                ),
                sort=LogSort.TIMESTAMP_ASC,
                limit=200,
            )
            new = [each for each in lines if each.id not in self._lines]
            for line in new:
                self._tell(line)
            if len(lines) < 200 or not new:  # pages go on from the last line's time
                return
            after = lines[-1].timestamp

    def _tell(self, line: Log) -> None:
        if line.id is not None:
            self._lines.add(line.id)
        self._since = max(self._since or line.timestamp, line.timestamp)
        self._listener.log(line.timestamp.astimezone(UTC), line.level, line.message)

    def _cancel(self) -> bool:
        self._client.set_flow_run_state(self._run_id, Cancelling())
        return True

    def _too_late(self) -> RunStillGoingError:
        command = f"prefect flow-run cancel {self._run_id}"
        if not self._follow.cancel_on_timeout:
            return RunStillGoingError(
                f"The run is not over after {self._follow.timeout:g} s; it goes on "
                f"({self._state}).",
                next_step=f"Look at its page, or stop it: {command}",
            )
        # A server that is away at this moment is asked again, as it is everywhere here.
        while self._patiently(self._cancel) is None:
            time.sleep(_EVERY)
        return RunStillGoingError(
            f"The run was not over after {self._follow.timeout:g} s ({self._state}); it was told "
            "to cancel.",
            next_step="Its page tells what was undone.",
        )


def _where_to_answer(run: FlowRun) -> str:
    return f"it waits for an answer: {url_for('flow-run', run.id) or run.id}"
