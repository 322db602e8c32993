"""An observer that shows a run on a terminal: a line a migration, a bar while it lasts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self, TextIO

from confiture_flows.migrations.observer import Observer
from confiture_flows.runs.screen import ProgressScreen

if TYPE_CHECKING:
    from types import TracebackType

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

    On a terminal there is a bar below the lines; in a pipe there are only the lines.
    """

    def __init__(self, stream: TextIO, *, quiet: bool) -> None:
        self.report: RunReport | None = None
        self._screen = ProgressScreen(stream, quiet=quiet)
        self._width = 0
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
        self._screen.stop_bar()

    def page(self, url: str) -> None:
        """Where to watch the run."""
        self._screen.line(f"Flow run: {url}", "dim")

    def found(self, findings: tuple[Finding, ...]) -> None:
        """Say before anything runs which way back is not the one that was applied."""
        for finding in findings:
            if finding.code == "history.down_edited":
                self._screen.line(f"{finding.severity.label}: {finding.message}", "yellow")
                if finding.diff:
                    self._screen.line(finding.diff)

    def begin(self, plan: Plan) -> None:
        """Show the bar."""
        self._width = max(len(step.migration.label) for step in plan.steps)
        self._steps = len(plan.steps)
        if bar := self._screen.start_bar(time_left=False):
            self._task = bar.add_task("", total=self._steps, done=f"0/{self._steps}")

    def waiting(self, holder: str) -> None:
        """Say whom the run waits for."""
        self._screen.line(f"Waiting for another run to end: {holder}", "yellow")

    def started(self, step: Step) -> None:
        """Name the migration beside the bar."""
        if self._screen.bar and self._task is not None:
            self._screen.bar.update(self._task, description=step.migration.label)

    def resumed(self, step: Step, statement: Statement) -> None:
        """Say where a half done migration goes on."""
        self._screen.line(
            f"{step.migration.label}: goes on at statement {statement.number} (line "
            f"{statement.line}), where an earlier run was stopped",
            "yellow",
        )

    def sent(self, step: Step, sent: Sent) -> None:
        """Move the bar of a large file; in a pipe, a line now and then."""
        if self._screen.bar:
            if self._file is None:
                self._file = self._screen.bar.add_task("", total=sent.size, done="")
            self._screen.bar.update(self._file, completed=sent.position, done=_how_far(sent))
            return
        self._told = self._told or time.monotonic()
        if time.monotonic() - self._told > _TELL_EVERY:
            self._screen.line(f"{step.migration.label}: {_how_far(sent)}")
            self._told = time.monotonic()

    def busy(self, busy: Busy) -> None:
        """Say what is busy, and that nothing is held meanwhile."""
        self._screen.line(
            f"{busy.step.migration.label}: table busy at {busy.statement.excerpt!r}; "
            f"rolled back, next try in {busy.pause:.1f} s"
            + (f"; in the way: {_named(busy.blockers)}" if busy.blockers else ""),
            "yellow",
        )

    def held_up(self, held_up: HeldUp) -> None:
        """Say whom a statement waits for."""
        self._screen.line(
            f"{held_up.step.migration.label}: waits for {_named(held_up.blockers)}", "yellow"
        )

    def finished(self, step: Step, row: LedgerRow) -> None:
        """A line for the migration."""
        if self._screen.bar and self._file is not None:
            self._screen.bar.remove_task(self._file)
        self._file, self._told = None, 0.0
        took = f"{row.execution_time_ms or 0:>6} ms"
        self._screen.line(f"{_VERBS[step.direction]} {step.migration.label:<{self._width}} {took}")
        if self._screen.bar and self._task is not None:
            self._finished += 1
            self._screen.bar.update(
                self._task, completed=self._finished, done=f"{self._finished}/{self._steps}"
            )

    def said(self, line: str) -> None:
        """A line about a hook, or about what the run waits for."""
        self._screen.line(line, "dim")

    def ended(self, report: RunReport) -> None:
        """Take the bar away, and keep the report for the command."""
        self._screen.stop_bar()
        self.report = report


def _named(blockers: tuple[Blocker, ...]) -> str:
    from confiture_flows.migrations.blockers import named

    return named(blockers)
