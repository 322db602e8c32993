"""A run as Prefect's log lines and events: what its page shows while it goes on."""

from __future__ import annotations

import contextvars
import threading
import time
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from prefect.logging import get_run_logger

from confiture_flows.migrations.blockers import named
from confiture_flows.migrations.observer import Observer
from confiture_flows.migrations.plan import Direction
from confiture_flows.tasks._events import StageEvent, tell_of_migration

if TYPE_CHECKING:
    from types import TracebackType

    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.observer import Busy, HeldUp
    from confiture_flows.migrations.plan import Step
    from confiture_flows.migrations.send import Sent
    from confiture_flows.sql.statements import Statement
    from confiture_flows.target import Target

_SENT_EVERY = 10.0  # seconds between two lines about a large file
_WRITE_EVERY = 2.0  # seconds; how far the page may be behind the database

_PAST = {Direction.UP: "applied", Direction.DOWN: "rolled back"}
_EVENTS = {Direction.UP: StageEvent.APPLIED, Direction.DOWN: StageEvent.ROLLED_BACK}


class Chronicle(Observer):
    """Writes a log line and an event a migration, for the length of a `with` block.

    A batch at a time, from a thread of its own. Prefect sends each line and event on from
    threads of its own, which take turns with the one that applies: written one by one, they
    make 300 small migrations take twice as long.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._logger = get_run_logger()
        self._unwritten: deque[tuple[Step, LedgerRow, datetime]] = deque()
        self._next_word = 0.0
        self._writing = threading.Lock()
        self._over = threading.Event()
        # A new thread has none of the context that says which run it belongs to.
        run = contextvars.copy_context().run
        self._thread = threading.Thread(target=run, args=(self._keep_writing,), daemon=True)

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
        self._write()

    def waiting(self, holder: str) -> None:
        """Log whom the run waits for."""
        self._logger.warning("Waiting for another run to end: %s", holder)

    def resumed(self, step: Step, statement: Statement) -> None:
        """Log where a half done migration goes on."""
        self._write()
        self._logger.warning(
            "%s goes on at statement %d (line %d): an earlier run was stopped there",
            step.migration.label,
            statement.number,
            statement.line,
        )

    def sent(self, step: Step, sent: Sent) -> None:
        """Now and then, log how far a large file is."""
        now = time.monotonic()
        if now < self._next_word:
            return
        if self._next_word:
            done, size = sent.position / 1_000_000, sent.size / 1_000_000
            said = "%s: %.0f of %.0f MB sent, at statement %d"
            self._logger.info(said, step.migration.label, done, size, sent.statement)
        self._next_word = now + _SENT_EVERY

    def busy(self, busy: Busy) -> None:
        """Log the busy table."""
        self._write()
        self._logger.warning(
            "%s: table busy at %r (line %d); rolled back, next try in %.1f s%s",
            busy.step.migration.label,
            busy.statement.excerpt,
            busy.statement.line,
            busy.pause,
            f"; in the way: {named(busy.blockers)}" if busy.blockers else "",
        )

    def held_up(self, held_up: HeldUp) -> None:
        """Log whom a statement waits for."""
        self._write()
        self._logger.warning(
            "%s waits for %s", held_up.step.migration.label, named(held_up.blockers)
        )

    def finished(self, step: Step, row: LedgerRow) -> None:
        """Take a note, to be written soon."""
        self._next_word = 0.0
        self._unwritten.append((step, row, datetime.now(UTC)))

    def _keep_writing(self) -> None:
        while not self._over.wait(_WRITE_EVERY):
            self._write()

    def _write(self) -> None:
        with self._writing:
            while self._unwritten:
                self._write_one(*self._unwritten.popleft())

    def _write_one(self, step: Step, row: LedgerRow, occurred: datetime) -> None:
        migration = step.migration
        milliseconds = row.execution_time_ms or 0
        self._logger.info("%s %s in %d ms", _PAST[step.direction], migration.label, milliseconds)
        tell_of_migration(
            _EVENTS[step.direction],
            self._target.name,
            migration,
            {"milliseconds": milliseconds, "checksum": migration.checksum},
            occurred,
        )
