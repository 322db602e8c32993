"""An observer that shows a copy on a terminal: a bar with rows a second and the time left."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Self, TextIO

from confiture_flows.anonymization.copying.observer import CopyObserver
from confiture_flows.anonymization.copying.row_count import RowCount
from confiture_flows.runs.screen import ProgressScreen

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import TaskID

    from confiture_flows.anonymization.copying.report import CopyReport
    from confiture_flows.anonymization.copying.values import Chunk, ChunkResult
    from confiture_flows.anonymization.plan import CopyPlan
    from confiture_flows.anonymization.proof.report import LeakReport

_TELL_EVERY = 5.0  # seconds between two lines in a pipe


class CopyProgress(CopyObserver):
    """Shows a copy and keeps its report.

    On a terminal there is a bar below a line a table; in a pipe there are only lines.
    """

    def __init__(self, stream: TextIO, *, quiet: bool) -> None:
        self.report: CopyReport | None = None
        self.url: str | None = None
        self.plan: CopyPlan | None = None
        self.proof: LeakReport | None = None
        self._screen = ProgressScreen(stream, quiet=quiet)
        self._lock = threading.Lock()
        self._task: TaskID | None = None
        self._count = RowCount()
        self._left: dict[str, int] = {}  # chunks by table
        self._told = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._screen.stop_bar()

    def page(self, url: str) -> None:
        """Where to watch the copy."""
        self.url = url
        self._screen.line(f"Flow run: {url}", "dim")

    def said(self, line: str) -> None:
        """A line about what the copy waits for."""
        self._screen.line(line, "dim")

    def planned(self, plan: CopyPlan) -> None:
        """Keep it for the command, which tells its findings."""
        self.plan = plan

    def began(self, chunks: tuple[Chunk, ...]) -> None:
        """Show the bar."""
        self._count = RowCount(chunks)
        self._told = time.monotonic()
        for each in chunks:
            self._left[str(each.table)] = self._left.get(str(each.table), 0) + 1
        if bar := self._screen.start_bar(time_left=True):
            self._task = bar.add_task("rows", total=max(1, self._count.expected), done="")

    def moved(self, chunk: Chunk, rows: int) -> None:
        """Move the bar."""
        with self._lock:
            self._count.moved(chunk, rows)
            self._show()

    def repeating(self, chunk: Chunk) -> None:
        """Say that the rows of a chunk do not count."""
        with self._lock:
            self._count.repeating(chunk)
            self._screen.line(f"{chunk}: interrupted; its rows so far are undone", "yellow")
            self._show()

    def copied(self, result: ChunkResult) -> None:
        """A line for a table whose last chunk is there."""
        with self._lock:
            self._count.copied(result)
            table = str(result.chunk.table)
            self._left[table] -= 1
            if not self._left[table]:
                rows, way = self._count.rows_of(table), result.chunk.way
                self._screen.line(f"copied {table}: {rows:,} rows ({way.name})")
            self._show()

    def finishing(self, what: str) -> None:
        """Say what comes next."""
        with self._lock:
            if self._screen.bar and self._task is not None:
                self._screen.bar.update(self._task, description=what, total=None)
            else:
                self._screen.line(f"next: {what}")

    def proven(self, report: LeakReport) -> None:
        """Keep it: of a copy that leaks there is no other report."""
        self.proof = report

    def ended(self, report: CopyReport) -> None:
        """Take the bar away, and keep the report for the command."""
        self._screen.stop_bar()
        self.report = report

    def _show(self) -> None:
        if self._screen.bar and self._task is not None:
            self._screen.bar.update(self._task, completed=self._count.rows, done=str(self._count))
        elif time.monotonic() - self._told > _TELL_EVERY:
            self._told = time.monotonic()
            self._screen.line(str(self._count))
