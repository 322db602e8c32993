"""What a run tells whoever watches it: a progress bar, Prefect's log and events, or nobody."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.migrations.blockers import Blocker
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.lifecycle import RunReport
    from confiture_flows.migrations.plan import Plan, Step
    from confiture_flows.migrations.send import Sent
    from confiture_flows.report.finding import Finding
    from confiture_flows.sql.statements import Statement


@dataclass(frozen=True, slots=True)
class Busy:
    """A try that met a busy table: what an observer is told before the pause.

    Attributes:
        step: What was running.
        statement: The one that queued until lock_timeout.
        attempt: 1 for the first try.
        pause: Seconds until the next try.
        blockers: Who was in the way; empty at the first try, and when that cannot be seen.
    """

    step: Step
    statement: Statement
    attempt: int
    pause: float
    blockers: tuple[Blocker, ...] = ()


@dataclass(frozen=True, slots=True)
class HeldUp:
    """A statement that waits for others for long: what an observer is told while it does.

    Attributes:
        step: What is running.
        blockers: Whom it waits for.
        waited: Seconds, as far as it was watched.
    """

    step: Step
    blockers: tuple[Blocker, ...]
    waited: float


class Observer:
    """Hears of a run as it goes; every method does nothing unless overridden.

    Called between transactions, never while a migration holds locks; so it may take its
    time, and what it raises ends the run with nothing left open. Three exceptions: `sent`,
    `held_up`, and where the whole plan is one transaction, `tick` and `started`.
    """

    def page(self, url: str) -> None:
        """The run has a page to look at."""

    def tick(self) -> None:
        """Called before each step and several times a second while the run waits."""

    def found(self, findings: tuple[Finding, ...]) -> None:
        """Validation is over."""

    def begin(self, plan: Plan) -> None:
        """The run's lock is held and the first step is next."""

    def waiting(self, holder: str) -> None:
        """Another run holds the lock."""

    def started(self, step: Step) -> None:
        """A step is about to run."""

    def resumed(self, step: Step, statement: Statement) -> None:
        """A step that an earlier run left half done goes on at a statement."""

    def sent(self, step: Step, sent: Sent) -> None:
        """A part of a large file is about to be sent: often, and while the migration holds locks.

        It has to return at once, and must not raise.
        """

    def busy(self, busy: Busy) -> None:
        """A try met a busy table and was rolled back; the next follows after a pause."""

    def held_up(self, held_up: HeldUp) -> None:
        """A statement waits for others for long, and goes on waiting while this is called."""

    def finished(self, step: Step, row: LedgerRow) -> None:
        """A step is committed."""

    def said(self, line: str) -> None:
        """A hook was called, or has printed something."""

    def ended(self, report: RunReport) -> None:
        """The run is over, well or not."""


class Observers(Observer):
    """Passes everything on to several observers, in order."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def page(self, url: str) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.page(url)

    def tick(self) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.tick()

    def found(self, findings: tuple[Finding, ...]) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.found(findings)

    def begin(self, plan: Plan) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.begin(plan)

    def waiting(self, holder: str) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.waiting(holder)

    def started(self, step: Step) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.started(step)

    def resumed(self, step: Step, statement: Statement) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.resumed(step, statement)

    def sent(self, step: Step, sent: Sent) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.sent(step, sent)

    def busy(self, busy: Busy) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.busy(busy)

    def held_up(self, held_up: HeldUp) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.held_up(held_up)

    def finished(self, step: Step, row: LedgerRow) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.finished(step, row)

    def said(self, line: str) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.said(line)

    def ended(self, report: RunReport) -> None:
        """See Observer."""
        for observer in self._observers:
            observer.ended(report)


_watcher: ContextVar[Observer | None] = ContextVar("confiture_flows_watcher", default=None)


@contextmanager
def watched_by(observer: Observer) -> Iterator[None]:
    """Let an observer hear of all runs in this block, a flow's in the same process too."""
    token = _watcher.set(observer)
    try:
        yield
    finally:
        _watcher.reset(token)


def current_observer() -> Observer:
    """Who watches here; an observer that does nothing if nobody does."""
    return _watcher.get() or Observer()
