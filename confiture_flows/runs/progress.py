"""An observer that shows a run on a terminal: a line a migration, a bar while it lasts."""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING, Self, TextIO

from confiture_flows.migrations.observer import Observer
from confiture_flows.report.console import console, silence

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from confiture_flows.migrations.blockers import Blocker
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.lifecycle import RunReport
    from confiture_flows.migrations.observer import Busy, HeldUp
    from confiture_flows.migrations.plan import Plan, Step
    from confiture_flows.migrations.send import Sent
    from confiture_flows.report.finding import Finding
    from confiture_flows.sql.statements import Statement

_TELL_EVERY = 5.0  # seconds between two lines about a large file, in a pipe
_MEGABYTE = 1_000_000

_VERBS = {"up": "applied", "down": "rolled back"}


def _how_far(sent: Sent) -> str:
    done, size = sent.position / _MEGABYTE, sent.size / _MEGABYTE
    return f"{done:.0f} of {size:.0f} MB, statement {sent.statement:,}"


class Progress(Observer):
    """Shows a run and keeps its report.

    On a terminal there is a bar below the lines. In a pipe there are only the lines, and
    rich, which takes a tenth of a second to import, is not needed.
    """

    def __init__(self, stream: TextIO, *, quiet: bool) -> None:
        self.report: RunReport | None = None
        self._stream = stream
        self._quiet = quiet
        self._width = 0
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._file: TaskID | None = None  # the bar of a large file
        self._told = 0.0
        self._steps = self._finished = 0

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
        """Where to watch the run."""
        self._line(f"Flow run: {url}", "dim")

    def found(self, findings: tuple[Finding, ...]) -> None:
        """Say before anything runs which way back is not the one that was applied."""
        for finding in findings:
            if finding.code == "history.down_edited":
                self._line(f"{finding.severity.label}: {finding.message}", "yellow")
                if finding.diff:
                    self._line(finding.diff)

    def begin(self, plan: Plan) -> None:
        """Show the bar."""
        self._width = max(len(step.migration.label) for step in plan.steps)
        if self._quiet or not self._stream.isatty():
            return
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[done]}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._steps = len(plan.steps)
        self._task = self._bar.add_task("", total=self._steps, done=f"0/{self._steps}")
        self._bar.start()

    def waiting(self, holder: str) -> None:
        """Say whom the run waits for."""
        self._line(f"Waiting for another run to end: {holder}", "yellow")

    def started(self, step: Step) -> None:
        """Name the migration beside the bar."""
        if self._bar and self._task is not None:
            self._bar.update(self._task, description=step.migration.label)

    def resumed(self, step: Step, statement: Statement) -> None:
        """Say where a half done migration goes on."""
        self._line(
            f"{step.migration.label}: goes on at statement {statement.number} (line "
            f"{statement.line}), where an earlier run was stopped",
            "yellow",
        )

    def sent(self, step: Step, sent: Sent) -> None:
        """Move the bar of a large file; in a pipe, a line now and then."""
        if self._bar:
            if self._file is None:
                self._file = self._bar.add_task("", total=sent.size, done="")
            self._bar.update(self._file, completed=sent.position, done=_how_far(sent))
            return
        self._told = self._told or time.monotonic()
        if time.monotonic() - self._told > _TELL_EVERY:
            self._line(f"{step.migration.label}: {_how_far(sent)}")
            self._told = time.monotonic()

    def busy(self, busy: Busy) -> None:
        """Say what is busy, and that nothing is held meanwhile."""
        self._line(
            f"{busy.step.migration.label}: table busy at {busy.statement.excerpt!r}; "
            f"rolled back, next try in {busy.pause:.1f} s"
            + (f"; in the way: {_named(busy.blockers)}" if busy.blockers else ""),
            "yellow",
        )

    def held_up(self, held_up: HeldUp) -> None:
        """Say whom a statement waits for."""
        self._line(
            f"{held_up.step.migration.label}: waits for {_named(held_up.blockers)}", "yellow"
        )

    def finished(self, step: Step, row: LedgerRow) -> None:
        """A line for the migration."""
        if self._bar and self._file is not None:
            self._bar.remove_task(self._file)
        self._file, self._told = None, 0.0
        took = f"{row.execution_time_ms or 0:>6} ms"
        self._line(f"{_VERBS[step.direction]} {step.migration.label:<{self._width}} {took}")
        if self._bar and self._task is not None:
            self._finished += 1
            self._bar.update(
                self._task, completed=self._finished, done=f"{self._finished}/{self._steps}"
            )

    def said(self, line: str) -> None:
        """A line about a hook."""
        self._line(line, "dim")

    def ended(self, report: RunReport) -> None:
        """Take the bar away, and keep the report for the command."""
        self._stop_bar()
        self.report = report

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
            self._quiet = True  # the reader has left, which must not stop the run
            silence(self._stream)


def _named(blockers: tuple[Blocker, ...]) -> str:
    from confiture_flows.migrations.blockers import named

    return named(blockers)
