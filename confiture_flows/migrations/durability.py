"""`flush = "run"`: commits that do not wait for the disk, and news that wait for them.

With synchronous_commit off the server answers a commit before it is on the disk; when the server
crashes, the last commits may be gone. What is left is always all up to some commit, since its log
is written in order: each migration is there with its ledger row, or neither is. So one commit that
waits, after many that did not, makes all of them last; and nobody hears of a migration before.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from confiture_flows.migrations.ledger import read_ledger
from confiture_flows.migrations.observer import Observer, Observers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from confiture_flows.config import FlushName
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.observer import Busy
    from confiture_flows.migrations.plan import Step
    from confiture_flows.sql.statements import Statement
    from confiture_flows.target import Target

_EVERY = 0.5  # seconds; how far news may be behind the database

# A commit that has written nothing waits for nothing. A message in the log is the least that can
# be written: it needs no table and no right, and nobody reads it. A standby has no commits.
_FLUSH = """
BEGIN;
SET {local} synchronous_commit TO DEFAULT;
SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery()
    THEN pg_catalog.pg_logical_emit_message(true, 'confiture_flows', '') END;
COMMIT
"""


def flush_commits(conn: Connection) -> None:
    """Wait until all that was committed so far, by any session, is as safe as the server makes it.

    Args:
        conn: In autocommit, outside a transaction.
    """
    conn.execute(_FLUSH.format(local="LOCAL").encode())


def read_lasting_ledger(conn: Connection, target: Target) -> tuple[LedgerRow, ...]:
    """The ledger's rows, which will still be there after a crash of the server.

    Args:
        conn: Leads to the target.
        target: Its ledger is read; what an earlier run did not wait for is waited for.

    Raises:
        LedgerError: See `read_ledger`.
    """
    rows = read_ledger(conn, target.ledger)
    if rows and target.flush == "run":
        flush_commits(conn)
    return rows


def wait_for_the_disk(conn: Connection) -> None:
    """Let commits wait again, as the server does by itself."""
    conn.execute("SET synchronous_commit TO DEFAULT")


@contextmanager
def announcing(conn: Connection, observer: Observer, flush: FlushName) -> Iterator[Observer]:
    """Who is to hear of a run that commits in the block.

    Args:
        conn: The connection that commits; its commits wait again when the block is over.
        observer: Whoever is told what is on the disk.
        flush: "commit" tells at once, since commits wait; "run" holds news back.
    """
    if flush == "commit":
        yield observer
        return
    import psycopg

    announcer = _Announcer(conn, observer)
    try:
        yield announcer
    except BaseException:
        with suppress(psycopg.Error):  # nothing may hide the first error
            announcer.end()
        raise
    announcer.end()


class _Announcer(Observers):
    """Passes on what is on the disk."""

    def __init__(self, conn: Connection, observer: Observer) -> None:
        super().__init__(observer)
        self._conn = conn
        self._held: list[tuple[Step, LedgerRow]] = []
        self._next = 0.0

    def tick(self) -> None:
        """Pass on what has been held back for long enough."""
        if self._held and time.monotonic() >= self._next:
            self._release()
        super().tick()

    def resumed(self, step: Step, statement: Statement) -> None:
        """Keep the order."""
        self._release()
        super().resumed(step, statement)

    def busy(self, busy: Busy) -> None:
        """Keep the order."""
        self._release()
        super().busy(busy)

    def finished(self, step: Step, row: LedgerRow) -> None:
        """Hold it back."""
        if not self._held:
            self._next = time.monotonic() + _EVERY
        self._held.append((step, row))

    def end(self) -> None:
        """Pass on the rest, and let commits wait again.

        With a connection that is broken nothing is passed on: the ledger has to be asked anew.
        """
        if self._is_idle():
            self._conn.execute(_FLUSH.format(local="SESSION").encode())
            self._pass_on()

    def _release(self) -> None:
        if self._held and self._is_idle():
            flush_commits(self._conn)
            self._pass_on()

    def _pass_on(self) -> None:
        held, self._held = self._held, []
        for step, row in held:
            super().finished(step, row)

    def _is_idle(self) -> bool:
        from psycopg.pq import TransactionStatus

        return self._conn.info.transaction_status == TransactionStatus.IDLE
