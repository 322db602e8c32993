"""Run until it works: a migration that meets a busy table is rolled back and tried again."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, TypeVar

from confiture_flows.migrations.diagnosis import LOCK_NOT_AVAILABLE
from confiture_flows.migrations.observer import Busy
from confiture_flows.migrations.transaction import StatementFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection

    from confiture_flows.config import Limits
    from confiture_flows.migrations.observer import Observer
    from confiture_flows.migrations.plan import Step

_Result = TypeVar("_Result")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


def patiently(
    run: Callable[[], _Result], conn: Connection, step: Step, limits: Limits, observer: Observer
) -> _Result:
    """Run until it works, fails for another reason than a busy table, or patience ends.

    Args:
        run: Everything up to a commit; run again from its start.
        conn: Rolled back after each failure.
        step: What it is a part of, for the observer.
        limits: How long to go on.
        observer: Told of each try that met a busy table.

    Raises:
        StatementFailed: For another reason; or patience ended, and its `waited` says so.
    """
    started = time.monotonic()
    attempt = 0
    while True:
        attempt += 1
        try:
            return run()
        except StatementFailed as caught:
            failure = caught
        roll_back(conn)
        statement = failure.statement
        if failure.error.sqlstate != LOCK_NOT_AVAILABLE or (statement and statement.may_commit):
            raise failure
        waited = time.monotonic() - started
        # Jitter, so that two runs that met do not meet again at every try.
        pause = min(_FIRST_PAUSE * 2 ** (attempt - 1), _LONGEST_PAUSE) * random.uniform(0.5, 1.0)  # noqa: S311
        if waited + pause > limits.busy_patience:
            failure.waited = waited
            raise failure
        if statement:
            observer.busy(Busy(step, statement, attempt, pause))
        _pause(pause, observer)


def roll_back(conn: Connection) -> None:
    """End the transaction that a failure has left open."""
    from psycopg.pq import TransactionStatus

    open_states = (TransactionStatus.INTRANS, TransactionStatus.INERROR)
    if conn.info.transaction_status in open_states:
        conn.execute("ROLLBACK")


def _pause(seconds: float, observer: Observer) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        observer.tick()
        time.sleep(min(left, 0.25))
