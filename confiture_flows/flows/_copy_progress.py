"""Progress of a copy on its way to Prefect: an artifact with a bar, and a line now and then."""

from __future__ import annotations

import contextvars
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from confiture_flows.anonymization.copying.observer import CopyObserver
from confiture_flows.anonymization.copying.row_count import RowCount
from confiture_flows.blocks._asking import NO_ANSWER
from confiture_flows.tasks._guard import is_cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from confiture_flows.anonymization.copying.report import CopyReport
    from confiture_flows.anonymization.copying.values import Chunk, ChunkResult
    from confiture_flows.anonymization.proof.report import LeakReport

_EVERY = 2.0  # seconds between two updates of the artifact
_watching: ContextVar[CopyObserver | None] = ContextVar("copy_observer", default=None)


def current_copy_observer() -> CopyObserver:
    """Who watches copies of this process besides Prefect; nobody by default."""
    return _watching.get() or CopyObserver()


@contextmanager
def copy_watched_by(observer: CopyObserver) -> Iterator[None]:
    """Let an observer hear of the copies that flows of this process make in this block."""
    token = _watching.set(observer)
    try:
        yield
    finally:
        _watching.reset(token)


class ProgressArtifact(CopyObserver):
    """Counts rows for the run's page, and passes everything on to another observer."""

    def __init__(self, other: CopyObserver) -> None:
        self._other = other
        self._count = RowCount()
        self._artifact: Any = None
        self._over = threading.Event()
        run = contextvars.copy_context().run
        self._thread = threading.Thread(target=run, args=(self._update,), daemon=True)
        self._logger = get_run_logger()
        self._flow_run_id = UUID(run) if (run := flow_run.id) else None
        self._stop: Callable[[], None] | None = None
        self.cancelled = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._artifact is not None and error is None:
            self._write(100.0)

    def can_stop(self, stop: Callable[[], None]) -> None:
        """Say how the copy is ended when somebody cancels the run."""
        self._stop = stop

    def began(self, chunks: tuple[Chunk, ...]) -> None:
        """Show the artifact."""
        self._count = RowCount(chunks)
        self._logger.info(
            "%d tables in %d chunks, about %s rows",
            len({str(each.table) for each in chunks}),
            len(chunks),
            f"{self._count.expected:,}",
        )
        self._artifact = create_progress_artifact(
            0.0,
            key="confiture-copy-progress",
            description=f"About {self._count.expected:,} rows",
            _sync=True,  # pyright: ignore[reportCallIssue]
        )
        self._thread.start()
        self._other.began(chunks)

    def moved(self, chunk: Chunk, rows: int) -> None:
        """Count rows."""
        self._count.moved(chunk, rows)
        self._other.moved(chunk, rows)

    def repeating(self, chunk: Chunk) -> None:
        """Take back what was counted."""
        self._count.repeating(chunk)
        self._other.repeating(chunk)

    def copied(self, result: ChunkResult) -> None:
        """Count a chunk by what it was in the end."""
        self._count.copied(result)
        self._other.copied(result)

    def finishing(self, what: str) -> None:
        """Say what comes next."""
        self._logger.info("Rows are there; next: %s", what)
        self._other.finishing(what)

    def proven(self, report: LeakReport) -> None:
        """Pass it on."""
        self._other.proven(report)

    def ended(self, report: CopyReport) -> None:
        """Pass it on."""
        self._other.ended(report)

    def _update(self) -> None:
        while not self._over.wait(_EVERY):
            if not self.cancelled and is_cancelled(self._flow_run_id):
                self.cancelled = True
                if self._stop:
                    self._stop()
            rows, total, rate = self._count.rows, self._count.expected, self._count.per_second
            # The rest is for indexes and keys, whose time nobody knows.
            share = min(0.95, rows / total) if total else 0.95
            left = (total - rows) / rate if rate and rows < total else 0
            self._write(
                100 * share,
                f"{rows:,} of about {total:,} rows, {rate:,.0f} a second, about {left:,.0f} s left",
            )

    def _write(self, percent: float, said: str | None = None) -> None:
        more = {} if said is None else {"description": said}
        try:
            update_progress_artifact(
                self._artifact,
                percent,
                **more,
                _sync=True,  # pyright: ignore[reportCallIssue]
            )
        except NO_ANSWER:
            return  # a server that cannot be told is no reason to stop a copy
