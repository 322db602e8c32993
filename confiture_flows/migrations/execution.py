"""One step of a plan -> run, with its ledger row in the same transaction.

The usual script is one transaction. A script with something that PostgreSQL refuses in a
transaction runs batch by batch, and its ledger row comes with the last one.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from confiture_flows.errors import LedgerError
from confiture_flows.migrations.diagnosis import LOCK_NOT_AVAILABLE, busy_error, diagnose
from confiture_flows.migrations.plan import Direction
from confiture_flows.migrations.transaction import (
    StatementFailed,
    run_statement,
    run_transaction,
)
from confiture_flows.sql.script import Batch

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection

    from confiture_flows.config import Limits
    from confiture_flows.migrations.ledger import LedgerRow, LedgerTable
    from confiture_flows.migrations.observer import Observer
    from confiture_flows.migrations.plan import Step
    from confiture_flows.sql.statements import Statement

_Result = TypeVar("_Result")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0

# What one file may leave behind in the session and the next would trip over. DISCARD ALL
# says it in one word, but would release the advisory lock too.
_RESET = (
    "RESET SESSION AUTHORIZATION",
    "RESET ALL",
    "CLOSE ALL",
    "DEALLOCATE ALL",
    "UNLISTEN *",
    "DISCARD TEMP",
)


@dataclass(frozen=True, slots=True)
class Busy:
    """A try that met a busy table: what an observer is told before the pause.

    Attributes:
        step: What was running.
        statement: The one that queued until lock_timeout.
        attempt: 1 for the first try.
        pause: Seconds until the next try.
    """

    step: Step
    statement: Statement
    attempt: int
    pause: float


def session_reset(conn: Connection, limits: Limits) -> tuple[str, ...]:
    """The statements that put the session into the state in which every migration starts."""
    settings = {
        "lock_timeout": limits.lock_timeout_ms,
        "statement_timeout": limits.statement_timeout_ms,
        "idle_in_transaction_session_timeout": 0,
        "standard_conforming_strings": "on",  # as our parser reads them
        "client_encoding": "'UTF8'",  # what scripts are sent in, whatever the database's own
    }
    if _can_check_client(conn):
        # The server notices within half a second that a killed run is gone, in mid-query too.
        settings["client_connection_check_interval"] = 500
    return (*_RESET, *(f"SET {key} = {value}" for key, value in settings.items()))


def reset_session(conn: Connection, reset: tuple[str, ...]) -> None:
    """Put the session into that state, unless it is broken or in the middle of something."""
    from psycopg.pq import TransactionStatus

    if conn.info.transaction_status == TransactionStatus.IDLE:
        conn.execute("; ".join(reset).encode())


def _can_check_client(conn: Connection) -> bool:
    if conn.info.server_version < 140000:
        return False
    from psycopg import errors

    try:
        conn.execute("SET client_connection_check_interval = 500")
    except errors.InvalidParameterValue:  # the server's platform cannot poll a socket so
        return False
    return True


def execute_step(
    conn: Connection,
    step: Step,
    table: LedgerTable,
    limits: Limits,
    reset: tuple[str, ...],
    observer: Observer,
) -> LedgerRow:
    """Run a step and write, or erase, its ledger row.

    Args:
        conn: In autocommit, holding the run's lock.
        step: What to run.
        table: The ledger, which exists.
        limits: How long to go on when a table is busy.
        reset: From `session_reset`; it is done already, and done again after the step.
        observer: Told of each try that met a busy table.

    Returns:
        The row that was written or erased.

    Raises:
        MigrationFileError: The script cannot be run as it stands.
        ApplyError: A statement failed; its transaction was rolled back.
        PartialApplyError: The same, after earlier statements had been committed.
        LockError: A table stayed busy until patience ended.
        TargetUnreachableError: The connection broke.
    """
    batches = step.script.batches()
    started = time.monotonic()
    if not batches or not (batches[-1].transactional and batches[-1].keep):
        batches = (*batches, Batch(()))  # a transaction of its own for the ledger row
    committed = 0
    for batch in batches[:-1]:
        _patiently(lambda b=batch: _run_batch(conn, b), conn, step, limits, committed, observer)
        committed += len(batch.statements)

    def close() -> LedgerRow:
        # A single transaction is timed by the server, since it is sent before it has run.
        elapsed = None if len(batches) == 1 else int((time.monotonic() - started) * 1000)
        query = table.query(
            "record" if step.direction is Direction.UP else "erase", conn.info.dbname
        )
        row = run_transaction(conn, batches[-1], (query, _row_values(step, elapsed)), reset)
        if row is None:
            raise LedgerError(f"The ledger had no row for {step.migration.label} to erase.")
        return row

    return _patiently(close, conn, step, limits, committed, observer)


def _row_values(step: Step, elapsed_ms: int | None) -> dict[str, str | int | None]:
    migration = step.migration
    return {
        "version": migration.version,
        "name": migration.name,
        "checksum": migration.checksum,
        "elapsed_ms": elapsed_ms,
    }


def _patiently(
    run: Callable[[], _Result],
    conn: Connection,
    step: Step,
    limits: Limits,
    committed: int,
    observer: Observer,
) -> _Result:
    """Run until it works, fails for good, or tables stayed busy for too long."""
    started = time.monotonic()
    attempt = 0
    while True:
        attempt += 1
        try:
            return run()
        except StatementFailed as caught:
            failure = caught
        statement, error = failure.statement, failure.error
        _roll_back(conn)
        if error.sqlstate != LOCK_NOT_AVAILABLE or (statement and statement.may_commit):
            raise diagnose(failure, conn, step, committed) from None
        waited = time.monotonic() - started
        # Jitter, so that two runs that met do not meet again at every try.
        pause = min(_FIRST_PAUSE * 2 ** (attempt - 1), _LONGEST_PAUSE) * random.uniform(0.5, 1.0)  # noqa: S311
        if waited + pause > limits.busy_patience:
            if committed:
                raise diagnose(failure, conn, step, committed) from None
            raise busy_error(error, step, statement, waited) from None
        if statement:
            observer.busy(Busy(step, statement, attempt, pause))
        _pause(pause, observer)


def _pause(seconds: float, observer: Observer) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        observer.tick()
        time.sleep(min(left, 0.25))


def _roll_back(conn: Connection) -> None:
    from psycopg.pq import TransactionStatus

    open_states = (TransactionStatus.INTRANS, TransactionStatus.INERROR)
    if conn.info.transaction_status in open_states:
        conn.execute("ROLLBACK")


def _run_batch(conn: Connection, batch: Batch) -> None:
    if batch.transactional:
        run_transaction(conn, batch)
        return
    (statement,) = batch.statements
    if not statement.forbids_transaction:
        run_statement(conn, statement)
        return
    # A concurrent build waits for old transactions without anyone queuing behind it; a
    # lock_timeout would only fail it and leave an invalid index.
    run_statement(conn, statement, without_lock_timeout=True)
