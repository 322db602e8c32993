"""The hooks of a flow run: found if there are any, and called for it when its process is gone."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    ArtifactFilterKey,
)
from prefect.logging.loggers import flow_run_logger, get_run_logger
from prefect.runtime import flow_run as current_run

from confiture_flows.config import load_project
from confiture_flows.errors import ConfitureFlowsError, PlanError, RunCrashedError
from confiture_flows.flows._plan_file import required, target_of
from confiture_flows.flows._project import project_of
from confiture_flows.flows._targets import resolve_target
from confiture_flows.migrations.hook_points import NO_HOOKS, HookPoints
from confiture_flows.migrations.ledger import read_ledger
from confiture_flows.migrations.lifecycle import RunReport
from confiture_flows.migrations.nesting import refuse_nested
from confiture_flows.migrations.plan import Direction
from confiture_flows.target import connect

if TYPE_CHECKING:
    from uuid import UUID

    from prefect import Flow
    from prefect.client.schemas.objects import FlowRun, State
    from prefect.logging.loggers import PrefectLogAdapter

    from confiture_flows.config import Project
    from confiture_flows.hooks.executor import HookExecutor
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.target import Target

_FLOWS = {"migrate", "rollback"}
_told: set[str] = set()  # runs whose error hooks have been called by this process


def hooks_of_run(target: Target, direction: Direction) -> HookPoints:
    """What is called at the hook points of the current flow run.

    Raises:
        ConfigError: A hook cannot be found, or cannot be one.
        PlanError: A hook of a run of the same target has started this one.
    """
    refuse_nested(target)
    if current_run.parent_flow_run_id:
        _refuse_descendant(target)
    project = load_project()
    if not _has_hooks(project):
        return NO_HOOKS
    from confiture_flows.hooks.executor import HookExecutor
    from confiture_flows.hooks.loading import load_hooks
    from confiture_flows.migrations.observer import current_observer
    from confiture_flows.tasks.hooks import call_as_run

    hooks = load_hooks(project, target.name)
    if not len(hooks):
        return NO_HOOKS
    logger, observer = get_run_logger(), current_observer()
    run_id = str(current_run.id)

    def tell(said: str) -> None:
        logger.info(said)
        observer.said(said)

    class Executor(HookExecutor):
        def on_error(self, report: RunReport) -> None:
            _told.add(run_id)
            super().on_error(report)

    return Executor(hooks, target, run_id, direction, call=call_as_run, tell=tell)


def publish_hooks_of(hooks: HookPoints, target: str) -> None:
    """Write the artifact about the hooks that were called, if any were."""
    records = getattr(hooks, "records", None)
    if records:
        from confiture_flows.tasks.hooks import publish_hooks

        publish_hooks(target, tuple(records), return_state=True)


def run_error_hooks(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Call the on_error hooks of a run whose process is gone: an on_crashed hook of the flows.

    Under a worker or `serve` the runner calls it, by keyword, so the names are Prefect's.
    """
    logger = flow_run_logger(flow_run, flow)
    try:
        with project_of(flow_run.parameters.get("project")):
            _run_error_hooks(flow, flow_run, state, logger)
    except ConfitureFlowsError as error:
        logger.error("The on_error hooks cannot be called: %s", error)


def _run_error_hooks(
    flow: Flow[..., Any], flow_run: FlowRun, state: State[Any], logger: PrefectLogAdapter
) -> None:
    project = load_project()
    run_id = str(flow_run.id)
    if run_id in _told or not _has_hooks(project):
        return
    if _published(flow_run.id):
        return  # the process has still called them itself
    _told.add(run_id)
    direction = Direction.DOWN if flow.name == "rollback" else Direction.UP
    target = resolve_target(required(target_of(flow_run.parameters)))
    executor = _executor(project, target, run_id, direction, logger.info)
    executor.on_error(_report_of_crash(target, flow_run, state, direction))
    if executor.records:
        _publish_beside(flow_run.id, target.name, executor)


def _executor(
    project: Project, target: Target, run_id: str, direction: Direction, tell: Any
) -> HookExecutor:
    from confiture_flows.hooks.executor import HookExecutor
    from confiture_flows.hooks.loading import load_hooks

    # Plainly: outside of a flow run a task run would belong to nothing.
    return HookExecutor(load_hooks(project, target.name), target, run_id, direction, tell=tell)


def _has_hooks(project: Project) -> bool:
    """Whether the file has hooks, or somebody has imported what registers them."""
    return bool(project.hooks) or "confiture_flows.hooks.registry" in sys.modules


def _report_of_crash(
    target: Target, flow_run: FlowRun, state: State[Any], direction: Direction
) -> RunReport:
    started = flow_run.start_time or flow_run.expected_start_time
    done: tuple[LedgerRow, ...] | None = None
    if started is not None and direction is Direction.UP:
        try:
            with connect(target, "read ledger") as conn:
                rows = read_ledger(conn, target.ledger)
            done = tuple(row for row in rows if row.applied_at >= started)
        except ConfitureFlowsError:
            done = None  # the target cannot be asked, which may be what this is all about
    elapsed = (datetime.now(UTC) - started).total_seconds() if started else 0.0
    error = RunCrashedError(
        f"The process of the run is gone: {state.message or state.name}",
        next_step="Run again: what is applied stays applied, and what is half done goes on.",
    )
    return RunReport(target.name, direction, None, done, (), elapsed, error)


def _published(flow_run_id: UUID) -> bool:
    """Whether the run has an artifact that tells of error hooks."""
    with get_client(sync_client=True) as client:
        found = client.read_artifacts(
            artifact_filter=ArtifactFilter(
                flow_run_id=ArtifactFilterFlowRunId(any_=[flow_run_id]),
                key=ArtifactFilterKey(like_="confiture-hooks-"),
            )
        )
    return any('"on_error"' in str(artifact.data) for artifact in found)


def _publish_beside(flow_run_id: UUID, target: str, executor: HookExecutor) -> None:
    import json

    from prefect.client.schemas.actions import ArtifactCreate

    from confiture_flows.tasks.hooks import table_of
    from confiture_flows.tasks.publish import artifact_key

    with get_client(sync_client=True) as client:
        client.create_artifact(
            ArtifactCreate(
                key=artifact_key("hooks", target),
                type="table",
                description=f"Hooks of {target}, after its process was gone",
                data=json.dumps(table_of(tuple(executor.records))),
                flow_run_id=flow_run_id,
            )
        )


def _refuse_descendant(target: Target) -> None:
    """Refuse a run that another of the same target waits for, started in another process."""
    parent = current_run.parent_flow_run_id
    with get_client(sync_client=True) as client:
        for _ in range(10):
            run = client.read_flow_run(parent)
            running = run.state is not None and run.state.is_running()
            flow = client.read_flow(run.flow_id).name
            if running and flow in _FLOWS and target_of(run.parameters) == target.name:
                raise PlanError(
                    f"A hook of the run {run.name!r} of {target.name} starts a run of the same "
                    "target.",
                    next_step="Start it after that run, in a flow that calls both.",
                )
            if run.parent_task_run_id is None:
                return
            above = client.read_task_run(run.parent_task_run_id)
            if above.flow_run_id is None:
                return
            parent = above.flow_run_id
