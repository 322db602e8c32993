"""Ends the query on the server when its task run ends: on a timeout, or a cancel from the UI.

Prefect's own timeout raises in Python and leaves the query running with its locks, and
in a worker thread it only raises once the query is over. A cancel of a run that no
worker started reaches nobody. So a thread of ours watches both.
"""

from __future__ import annotations

import contextvars
import threading
import time
from typing import TYPE_CHECKING, Self

import psycopg
from prefect.client.orchestration import get_client
from prefect.context import TaskRunContext

from confiture_flows.blocks._asking import NO_ANSWER
from confiture_flows.errors import (
    ConfitureFlowsError,
    PartialApplyError,
    RunCancelledError,
    RunTimeoutError,
)
from confiture_flows.migrations.observer import Observer

if TYPE_CHECKING:
    from types import TracebackType
    from uuid import UUID

    from psycopg import Connection

_ASK_EVERY = 1.0  # seconds between looks at the flow run's state; a short run is never asked
_PUSH_EVERY = 0.25  # seconds between cancels, once stopping: one may fall between two statements


class Guard(Observer):
    """Watches the task run that it is created in, for the length of a `with` block.

    As an observer it also ends waits, which no cancel of a query can reach.
    """

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._reason: type[ConfitureFlowsError] | None = None
        self._over = threading.Event()
        context = TaskRunContext.get()
        seconds = context.task.timeout_seconds if context else None
        self._deadline = time.monotonic() + seconds if seconds else None
        self._flow_run_id: UUID | None = context.task_run.flow_run_id if context else None
        # A new thread has none of the context that holds Prefect's settings.
        run = contextvars.copy_context().run
        self._thread = threading.Thread(target=run, args=(self._watch,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        # The cancelled statement failed, which is our doing and not the file's fault. What is
        # committed half way has to be told all the same.
        told = error is None or isinstance(error, ConfitureFlowsError | psycopg.Error)
        if self._reason and told and not isinstance(error, PartialApplyError):
            raise _stopped(self._reason) from None

    def tick(self) -> None:
        """Stop the run between statements.

        Raises:
            RunCancelledError: Somebody cancelled it.
            RunTimeoutError: Its time is up.
        """
        if self._reason:
            raise _stopped(self._reason)

    def _watch(self) -> None:
        asked = time.monotonic()
        while not self._over.wait(_PUSH_EVERY):
            now = time.monotonic()
            if self._reason is None and self._deadline and now >= self._deadline:
                self._reason = RunTimeoutError
            if self._reason is None and now - asked >= _ASK_EVERY:
                asked = now
                if is_cancelled(self._flow_run_id):
                    self._reason = RunCancelledError
            if self._reason:
                self._push()

    def _push(self) -> None:
        try:
            self._conn.cancel_safe(timeout=2)
        except psycopg.Error:
            return  # already closed, or the server cannot be reached: tried again next time


def is_cancelled(flow_run_id: UUID | None) -> bool:
    """Whether somebody has cancelled a flow run, as the server knows."""
    if flow_run_id is None:
        return False
    try:
        with get_client(sync_client=True) as client:
            state = client.read_flow_run(flow_run_id).state
    except (*NO_ANSWER, ValueError):
        return False  # a server that cannot be asked has cancelled nothing
    return state is not None and (state.is_cancelling() or state.is_cancelled())


def _stopped(reason: type[ConfitureFlowsError]) -> ConfitureFlowsError:
    what = "was cancelled" if reason is RunCancelledError else "ran out of time (timeout_seconds)"
    return reason(
        f"The run {what}, and its query was ended.",
        next_step="Run again to go on: what is applied stays applied.",
    )
