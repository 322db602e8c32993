"""An observer that shows a run on a terminal: a line a migration, a bar while it lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from confiture_flows.migrations.observer import Observer

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console
    from rich.progress import TaskID

    from confiture_flows.migrations.execution import Busy
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.lifecycle import RunReport
    from confiture_flows.migrations.plan import Plan, Step

_VERBS = {"up": "applied", "down": "rolled back"}


class Progress(Observer):
    """Shows a run and keeps its report.

    On a terminal there is a bar below the lines; in a pipe only the lines.
    """

    def __init__(self, console: Console, *, quiet: bool) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        self.report: RunReport | None = None
        self._console = console
        self._quiet = quiet
        self._width = 0
        self._task: TaskID | None = None
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=quiet or not console.is_terminal,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def page(self, url: str) -> None:
        """Where to watch the run."""
        self._line(f"Flow run: {url}", "dim")

    def begin(self, plan: Plan) -> None:
        """Show the bar."""
        self._width = max(len(step.migration.label) for step in plan.steps)
        self._task = self._bar.add_task("", total=len(plan.steps))
        self._bar.start()

    def waiting(self, holder: str) -> None:
        """Say whom the run waits for."""
        self._line(f"Waiting for another run to end: {holder}", "yellow")

    def started(self, step: Step) -> None:
        """Name the migration beside the bar."""
        if self._task is not None:
            self._bar.update(self._task, description=step.migration.label)

    def busy(self, busy: Busy) -> None:
        """Say what is busy, and that nothing is held meanwhile."""
        self._line(
            f"{busy.step.migration.label}: table busy at {busy.statement.excerpt!r}; "
            f"rolled back, next try in {busy.pause:.1f} s",
            "yellow",
        )

    def finished(self, step: Step, row: LedgerRow) -> None:
        """A line for the migration."""
        took = f"{row.execution_time_ms or 0:>6} ms"
        self._line(f"{_VERBS[step.direction]} {step.migration.label:<{self._width}} {took}")
        if self._task is not None:
            self._bar.advance(self._task)

    def ended(self, report: RunReport) -> None:
        """Keep the report for the command."""
        self.report = report

    def _line(self, text: str, style: str = "") -> None:
        from rich.text import Text

        if not self._quiet:
            self._bar.console.print(Text(text, style=style))
