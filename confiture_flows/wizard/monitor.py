"""A run on the screen: the progress of the command line, and below it what the server is doing."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO, cast

from confiture_flows.runs.progress import Progress
from confiture_flows.sql.statements import Statement
from confiture_flows.wizard.watching import Pace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import TaskID

    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.lifecycle import RunReport
    from confiture_flows.migrations.plan import Step
    from confiture_flows.wizard.prompts import Screen
    from confiture_flows.wizard.state import WizardState
    from confiture_flows.wizard.watching import Doing

_TELL_EVERY = 5.0  # seconds between two lines about one statement, where nothing can be redrawn
_CUT_OFF = 90  # characters; track_activity_query_size has 100 bytes at least
_LATE = 1.0  # seconds; a statement that is over sooner is not told of


@dataclass
class _Shown:
    """What was told of a wait and of a statement."""

    waits: str = ""
    told: float = 0.0
    pace: Pace = field(default_factory=Pace)


class Lines:
    """A stream on which nothing is redrawn: line after line, for screen readers and dumb terminals.

    It says that it is no terminal, which is how progress is told to be lines.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def isatty(self) -> bool:
        """Never."""
        return False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def stream_of(screen: Screen) -> TextIO:
    """Where a run is shown."""
    stream = screen.console.file
    return cast("TextIO", Lines(cast("TextIO", stream)) if screen.plain else stream)


def interrupted_words(state: WizardState) -> str:
    """What Ctrl-C during a run is answered with, before anything has come of it."""
    told = "." if state.plain else ", and Prefect is told so; that may take some seconds."
    return f"Ctrl-C: the query is cancelled and rolled back{told}"


class Monitor(Progress):
    """Shows a run: a line a migration, a bar, and the statement that runs now.

    Attributes:
        url: The page of the flow run, where there is one.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream, quiet=False)
        self.url: str | None = None
        self._step: Step | None = None
        self._now: TaskID | None = None
        self._shown = _Shown()

    def page(self, url: str) -> None:
        """Keep it, and tell it."""
        self.url = url
        super().page(url)

    def started(self, step: Step) -> None:
        """Name the migration."""
        super().started(step)
        self._step, self._shown = step, _Shown(told=time.monotonic())

    def finished(self, step: Step, row: LedgerRow) -> None:
        """A line for the migration."""
        self._step = None
        self._forget_statement()
        super().finished(step, row)

    def ended(self, report: RunReport) -> None:
        """Take the bars away."""
        self._step = None
        super().ended(report)

    def doing(self, doing: Doing) -> None:
        """Show what the server does; called from another thread."""
        step = self._step
        if step is None or doing.seconds < _LATE:
            return
        if doing.waits != self._shown.waits:
            self._shown.waits = doing.waits
            if doing.waits:
                self._screen.line(f"{step.migration.label}: {doing.waits}", "yellow")
        pace = self._shown.pace.said(doing)
        place = statement_in(step, doing.query)
        said = ", ".join(part for part in (pace, f"{doing.seconds:.0f} s") if part)
        if bar := self._screen.bar:
            if self._now is None:
                self._now = bar.add_task("", total=None, done="")
            total = doing.total or None
            waits = "waits" if doing.waits else said
            bar.update(
                self._now, description=f"  {place}", total=total, completed=doing.done, done=waits
            )
        elif time.monotonic() - self._shown.told > _TELL_EVERY:
            self._shown.told = time.monotonic()
            self._screen.line(f"{step.migration.label}: {place}, {said}")

    def _forget_statement(self) -> None:
        if self._screen.bar and self._now is not None:
            self._screen.bar.remove_task(self._now)
        self._now = None


def statement_in(step: Step, query: str) -> str:
    """Which statement of a migration a query is, by number, line and words, as far as it says.

    Args:
        step: What runs.
        query: As the server has it; many statements may be one query.
    """
    held, sent = list(_statements(step)), query.strip()
    # The server keeps the beginning of a long query, by bytes: it may be less than the statement.
    here = [
        each
        for each in held
        if sent.startswith(each.sql) or (len(sent) > _CUT_OFF and each.sql.startswith(sent))
    ]
    if len(here) == 1 and len(held) > 1:
        return f"statement {here[0].number} of {len(held)} (line {here[0].line})"
    if len(held) == 1:
        return f"line {held[0].line}"
    return f"{len(held)} statements in one transaction" if held else "running"


def _statements(step: Step) -> Iterator[Statement]:
    for batch in step.script.batches():
        yield from (part for part in batch.parts if isinstance(part, Statement))
