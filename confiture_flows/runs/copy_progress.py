"""An observer that shows a copy on a terminal: a bar with rows a second and the time left."""

from __future__ import annotations

import threading
import time
from functools import cached_property
from typing import TYPE_CHECKING, Self, TextIO

from confiture_flows.anonymization.copying.observer import CopyObserver
from confiture_flows.report.console import console, silence

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console
    from rich.progress import Progress as Bar
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
        self._stream = stream
        self._quiet = quiet
        self._lock = threading.Lock()
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._rows: dict[Chunk, int] = {}
        self._left: dict[str, int] = {}  # chunks by table
        self._total = 0
        self._began = self._told = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop_bar()

    def page(self, url: str) -> None:
        """Where to watch the copy."""
        self.url = url
        self._line(f"Flow run: {url}", "dim")

    def planned(self, plan: CopyPlan) -> None:
        """Keep it for the command, which tells its findings."""
        self.plan = plan

    def began(self, chunks: tuple[Chunk, ...]) -> None:
        """Show the bar."""
        self._began = self._told = time.monotonic()
        self._total = max(1, sum(each.rows for each in chunks))
        for each in chunks:
            self._left[str(each.table)] = self._left.get(str(each.table), 0) + 1
        if self._quiet or not self._stream.isatty():
            return
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[done]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task("rows", total=self._total, done="")
        self._bar.start()

    def moved(self, chunk: Chunk, rows: int) -> None:
        """Move the bar."""
        with self._lock:
            self._rows[chunk] = self._rows.get(chunk, 0) + rows
            self._show()

    def repeating(self, chunk: Chunk) -> None:
        """Say that a chunk is copied again."""
        with self._lock:
            self._rows.pop(chunk, None)
            self._line(f"{chunk}: its connection broke; it is copied again", "yellow")
            self._show()

    def copied(self, result: ChunkResult) -> None:
        """A line for a table whose last chunk is there."""
        with self._lock:
            self._rows[result.chunk] = result.rows
            table = str(result.chunk.table)
            self._left[table] -= 1
            if not self._left[table]:
                rows = sum(n for chunk, n in self._rows.items() if str(chunk.table) == table)
                way = result.chunk.way
                self._line(f"copied {table}: {rows:,} rows ({way.name})")
            self._show()

    def finishing(self, what: str) -> None:
        """Say what comes next."""
        with self._lock:
            if self._bar and self._task is not None:
                self._bar.update(self._task, description=what, total=None)
            else:
                self._line(f"next: {what}")

    def proven(self, report: LeakReport) -> None:
        """Keep it: of a copy that leaks there is no other report."""
        self.proof = report

    def ended(self, report: CopyReport) -> None:
        """Take the bar away, and keep the report for the command."""
        self._stop_bar()
        self.report = report

    def _show(self) -> None:
        rows, now = sum(self._rows.values()), time.monotonic()
        said = (
            f"{rows:,} of about {self._total:,} rows, {rows / max(now - self._began, 0.1):,.0f}/s"
        )
        if self._bar and self._task is not None:
            self._bar.update(self._task, completed=rows, done=said)
        elif now - self._told > _TELL_EVERY:
            self._told = now
            self._line(said)

    def _stop_bar(self) -> None:
        if self._bar:
            self._bar.stop()
            self._bar = None

    @cached_property
    def _console(self) -> Console:
        return console(self._stream)

    def _line(self, text: str, style: str = "") -> None:
        if self._quiet:
            return
        if self._stream.isatty():
            from rich.text import Text

            self._console.print(Text(text, style=style))
            return
        try:
            print(text, file=self._stream, flush=True)
        except BrokenPipeError:
            self._quiet = True  # the reader has left, which must not stop the copy
            silence(self._stream)
