"""Hooks as Prefect runs: a function becomes a task run, a task one of its own, a flow a sub-flow.

Apart from tasks/__init__.py: a run without hooks imports none of it.
"""

from __future__ import annotations

import contextvars
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect import tags, task
from prefect.artifacts import (
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE
from prefect.context import TagsContext, TaskRunContext
from prefect.runtime import flow_run
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

from confiture_flows.errors import HookError
from confiture_flows.hooks.executor import HookRecord, call_again
from confiture_flows.hooks.model import HookKind, HookPoint, HookResult
from confiture_flows.hooks.progress import progress_to
from confiture_flows.tasks._guard import is_cancelled
from confiture_flows.tasks._policy import COMPUTED, TAG
from confiture_flows.tasks.publish import artifact_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prefect.client.schemas.objects import State

    from confiture_flows.hooks.attempt import Attempt

_PROGRESS_EVERY = 2.0  # seconds between updates of a progress artifact


def call_as_run(attempt: Attempt) -> HookResult:
    """Call a hook as a run of Prefect's, with a name and tags of its own.

    Raises:
        HookError: It failed for the last time.
    """
    hook, context = attempt.hook, attempt.context
    if hook.point is not HookPoint.ON_ERROR:  # a cancelled run tells of it all the same
        attempt = replace(attempt, stopped=_cancel_of(flow_run.id))
    version = f" ({context.migration.version})" if context.migration else ""
    name = f"{hook.label}{version}"
    own = (TAG, "hook", f"hook:{hook.name}", f"hook-of:{context.target}")
    call: Any = hook.call
    with _progress_artifact(name):
        if hook.kind is HookKind.FLOW:
            # A heartbeat thread makes the end of a flow wait for a second.
            with tags(*own), temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
                run = call.with_options(flow_run_name=name)
                return call_again(partial(attempt.run, run), 1 + hook.retries)
        if hook.kind is HookKind.TASK:
            # Its retries are the task's own, so a hook's come on top only where it asks for them.
            with tags(*own):
                run = call.with_options(task_run_name=name)
                return call_again(partial(attempt.run, run), 1 + hook.retries)
        return _as_task_run(attempt, name, own)


def _as_task_run(attempt: Attempt, name: str, own: tuple[str, ...]) -> HookResult:
    """Call a function as a task run that gets its tags while it runs.

    A task run that starts with tags asks the server for a slot of each tag's concurrency limit,
    which took 10 to 500 ms.
    """
    hook = attempt.hook
    labels = TagsContext.get().current_tags | set(own)

    def once() -> HookResult:
        context = TaskRunContext.get()
        if context:
            context.task_run.tags = sorted(labels)
        with TagsContext(current_tags=labels):
            return attempt.run(hook.call)

    delays = [min(2.0**number, 30) for number in range(hook.retries)]
    made = task(
        name=f"hook {hook.point.value}",
        task_run_name=name,
        retries=hook.retries,
        retry_delay_seconds=delays or None,
        retry_condition_fn=_is_worth_a_retry,
        log_prints=False,
        cache_policy=NO_CACHE,
        persist_result=False,
    )(once)
    with TagsContext(current_tags=set()):
        return made()


def _cancel_of(run_id: str | None) -> Callable[[], bool] | None:
    # A run that no worker has started hears of a cancel from nobody. A thread that asks has none
    # of the context that holds Prefect's settings.
    if run_id is None:
        return None
    context = contextvars.copy_context()
    return lambda: context.run(is_cancelled, UUID(run_id))


def _is_worth_a_retry(_task: Any, _run: Any, state: State[Any]) -> bool:
    return isinstance(state.result(raise_on_failure=False), HookError)


@task(name="publish hooks", task_run_name="publish hooks", **COMPUTED)
def publish_hooks(target: str, records: tuple[HookRecord, ...]) -> None:
    """Write a table of the hooks that were called.

    Args:
        target: The target's name.
        records: In order.
    """
    create_table_artifact(
        key=artifact_key("hooks", target),
        table=table_of(records),
        description=f"Hooks of {target}",
        _sync=True,  # pyright: ignore[reportCallIssue]
    )


def table_of(records: tuple[HookRecord, ...]) -> list[dict[str, Any]]:
    """The rows of the artifact."""
    return [
        {
            "point": record.hook.point.value,
            "hook": record.hook.name,
            "migration": record.version,
            "result": "done" if record.result.ok else "failed",
            "message": record.result.message,
            "milliseconds": round(record.result.duration * 1000),
            **record.result.data,
        }
        for record in records
    ]


@contextmanager
def _progress_artifact(name: str) -> Iterator[None]:
    """An artifact for a hook that tells of its progress; none for the others."""
    artifact: UUID | None = None
    told = 0.0

    def tell(fraction: float, said: str) -> None:
        nonlocal artifact, told
        now = time.monotonic()
        if artifact is not None and fraction < 1 and now - told < _PROGRESS_EVERY:
            return
        told = now
        percent = round(100 * fraction, 1)
        if artifact is None:
            artifact = create_progress_artifact(percent, description=f"{name}: {said}", _sync=True)  # pyright: ignore
        else:
            update_progress_artifact(artifact, percent, description=f"{name}: {said}", _sync=True)  # pyright: ignore

    with progress_to(tell):
        yield
