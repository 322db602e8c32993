"""Run until it works: a migration that meets a busy table is rolled back and tried again."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, TypeVar

from confiture_flows.migrations.diagnosis import LOCK_NOT_AVAILABLE
from confiture_flows.migrations.observer import Busy, HeldUp
from confiture_flows.migrations.send import StatementFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection

    from confiture_flows.config import Limits
    from confiture_flows.migrations.blockers import Blocker
    from confiture_flows.migrations.lookout import Lookout
    from confiture_flows.migrations.observer import Observer
    from confiture_flows.migrations.plan import Step

_Result = TypeVar("_Result")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
# How far lock_timeout may grow for a table that is held by ever different transactions.
_GROWTH = 10
_GROW = """
SELECT pg_catalog.set_config('lock_timeout', %s, false) FROM pg_catalog.pg_settings
WHERE name = 'lock_timeout' AND setting = %s
"""


def patiently(
    run: Callable[[], _Result],
    step: Callable[[], Step],
    limits: Limits,
    observer: Observer,
    lookout: Lookout,
    *,
    unhurried: bool = False,
) -> _Result:
    """Run until it works, fails for another reason than a busy table, or patience ends.

    Args:
        run: Everything up to a commit; run again from its start.
        step: What is running, for the observer.
        limits: How long to go on.
        observer: Told of each try that met a busy table, and whom a long wait is for.
        lookout: Of the connection.
        unhurried: Whether it waits without a lock_timeout; its wait, not its work, is bounded.

    Raises:
        StatementFailed: For another reason; or patience ended, and its `waited` says so.
    """
    started, attempt, limit = time.monotonic(), 0, limits.lock_timeout_ms
    before: tuple[Blocker, ...] = ()
    patience = limits.busy_patience if unhurried else None

    def tell(blockers: tuple[Blocker, ...], waited: float) -> None:
        observer.held_up(HeldUp(step(), blockers, waited))

    try:
        while True:
            attempt += 1
            within = limit / 1000 if attempt > 1 and not unhurried else None
            try:
                with lookout.watching(within, patience, tell):
                    return run()
            except StatementFailed as caught:
                failure = caught
            roll_back(lookout.conn)
            failure.blockers = lookout.seen or before
            if lookout.gave_up:
                failure.waited = lookout.waited
                raise failure
            statement = failure.statement
            if failure.error.sqlstate != LOCK_NOT_AVAILABLE or (statement and statement.may_commit):
                raise failure
            waited = time.monotonic() - started
            pause = _length_of_pause(attempt)
            if waited + pause > limits.busy_patience:
                failure.waited = waited
                raise failure
            if statement:
                observer.busy(Busy(step(), statement, attempt, pause, lookout.seen))
            limit = _next_limit(lookout, before, limit, limits)
            before = lookout.seen or before
            _pause(pause, observer, lookout)
    finally:
        lookout.close()


def roll_back(conn: Connection) -> None:
    """End the transaction that a failure has left open."""
    from psycopg.pq import TransactionStatus

    open_states = (TransactionStatus.INTRANS, TransactionStatus.INERROR)
    if conn.info.transaction_status in open_states:
        conn.execute("ROLLBACK")


def _come_and_go(before: tuple[Blocker, ...], now: tuple[Blocker, ...]) -> bool:
    """Whether other transactions hold the table now than at the last try.

    To queue a little longer then helps: each of them is short. Behind one long transaction it
    would only let everybody else wait longer.
    """
    seen = {(each.pid, each.since) for each in before}
    return bool(before and now) and not any((each.pid, each.since) in seen for each in now)


def _next_limit(lookout: Lookout, before: tuple[Blocker, ...], limit: int, limits: Limits) -> int:
    if limit >= limits.lock_timeout_ms * _GROWTH or not _come_and_go(before, lookout.seen):
        return limit
    # A file may have set a lock_timeout of its own for what follows; that one stays.
    lookout.conn.execute(_GROW, (str(2 * limit), str(limit)))
    return 2 * limit


def _length_of_pause(attempt: int) -> float:
    # Jitter, so that two runs that met do not meet again at every try.
    return min(_FIRST_PAUSE * 2 ** (attempt - 1), _LONGEST_PAUSE) * random.uniform(0.5, 1.0)  # noqa: S311


def _pause(seconds: float, observer: Observer, lookout: Lookout) -> None:
    until = time.monotonic() + seconds
    lookout.open()
    while (left := until - time.monotonic()) > 0:
        observer.tick()
        time.sleep(min(left, 0.25))
        if not lookout.still_in_the_way():
            return
