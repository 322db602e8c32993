"""One batch -> one transaction on the server, with what records it as its last statements.

BEGIN, the statements, the ledger's statement and COMMIT go out as one simple query: one
round trip a migration. Three things that could go wrong with that are taken care of: each
statement ends on a line of its own, so that no trailing comment swallows what follows; the
results are counted, which tells the statement that failed even where its error has no
position; and the answer to COMMIT is looked at.

A batch with the rows of a COPY, or a very large one, is sent statement by statement; what it
has of a large file, passage by passage, as it is read. The function of a Python migration is
called in a transaction of its own.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_flows.errors import HookError, LedgerError, MigrationFileError
from confiture_flows.migrations.python_script import FunctionCall
from confiture_flows.migrations.send import (
    StatementFailed,
    send_passage,
    send_statement,
    simple_query,
    unwatched_sending,
)
from confiture_flows.sql.passage import Passage
from confiture_flows.sql.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection, sql
    from psycopg.pq.abc import PGresult

    from confiture_flows.migrations.hook_points import InTransaction
    from confiture_flows.migrations.send import Tell
    from confiture_flows.sql.script import Batch, Part

    Hear = Callable[[PGresult], None]
    Query = tuple[sql.Composed, dict[str, Any]]

_SEPARATOR = "\n;\n"
_LARGE = 1_000_000  # characters; the server parses the whole of a simple query before it starts

_ENCODING = "SET LOCAL client_encoding = 'UTF8'"


@dataclass(frozen=True, slots=True)
class Record:
    """What is written about a batch, in its transaction.

    Attributes:
        queries: With their values; the last one's first row is what the run gets back.
        lasting: Whether the script is over, and with it the role that it may have set.
    """

    queries: tuple[Query, ...] = ()
    lasting: bool = True

    @property
    def before(self) -> tuple[str, ...]:
        """What a file may have changed and these queries need."""
        if not self.queries:
            return ()
        if self.lasting:
            return ("RESET SESSION AUTHORIZATION", _ENCODING)
        # For this transaction only: the script goes on as whom it has made itself.
        return (
            "SET LOCAL SESSION AUTHORIZATION DEFAULT",
            "SET LOCAL role TO DEFAULT",
            _ENCODING,
        )


NOTHING = Record()


def _unheard(_result: PGresult) -> None:
    """Hears what the statements answer when nobody has asked."""


def run_transaction(
    conn: Connection,
    batch: Batch,
    record: Record = NOTHING,
    after: tuple[str, ...] = (),
    tell: Tell = unwatched_sending,
    *,
    closing: str = "",
    inside: InTransaction | None = None,
    hear: Hear = _unheard,
) -> tuple[Any, ...] | None:
    """Run a batch as one transaction.

    Args:
        conn: In autocommit, outside a transaction.
        batch: Transactional.
        record: What is written about it.
        after: Statements to run when it is committed, in the same round trip.
        tell: Told how far a large file is, many times, while the transaction is open.
        closing: A DO block that ends the batch instead of COMMIT, inside a larger transaction.
        inside: Hooks of the transaction, which is then sent statement by statement.
        hear: Given each result in order, those of passages left out; not when a batch fails.

    Returns:
        The row that the last query of the record returned; its values may still be text.

    Raises:
        StatementFailed: A statement, the record, or the commit; the transaction is still
            there to be rolled back.
        LedgerError: The server did not commit.
        MigrationFileError: A large file was written to meanwhile; the transaction is rolled back.
        HookError: A hook of the transaction failed; it is rolled back.
    """
    held = [part for part in batch.parts if isinstance(part, Statement)]
    if held and isinstance(call := held[0], FunctionCall):
        return _run_function(conn, call, record, after, inside, hear)
    copies = any(statement.kind == "copy_stmt" for statement in held)
    large = sum(len(statement.sql) for statement in held) > _LARGE
    if copies or large or inside or len(held) < len(batch.parts):
        row, answer = _run_singly(conn, batch, record, after, tell, closing, inside, hear)
    else:
        row, answer = _run_together(conn, batch, held, record, after, closing, hear)
    if batch.keep and not closing and answer != "COMMIT":
        raise LedgerError(f"The server answered COMMIT with {answer}.")
    return row


def _run_together(
    conn: Connection,
    batch: Batch,
    statements: list[Statement],
    record: Record,
    after: tuple[str, ...],
    inner: str,
    hear: Hear,
) -> tuple[tuple[Any, ...] | None, str]:
    import psycopg
    from psycopg import ClientCursor
    from psycopg.pq import ExecStatus, TransactionStatus

    queries = [batch.opening, *(statement.sql for statement in statements)]
    queries += record.before
    queries += [ClientCursor(conn).mogrify(*query) for query in record.queries]
    closing = "DO" if inner else "COMMIT" if batch.keep else "ROLLBACK"
    queries += [inner or closing, *after]
    try:
        results = simple_query(conn, _SEPARATOR.join(queries))
    except psycopg.Error as error:
        # The connection broke without a word of the server's; nobody knows how far it came.
        first = statements[0] if statements else None
        raise StatementFailed(first, error) from None
    # A rule may add results of its own before the end, but none to what follows the script.
    ended = max(
        (at for at, result in enumerate(results) if result.command_status == closing.encode()),
        default=None,
    )
    if results[-1].status == ExecStatus.FATAL_ERROR:
        if ended is None or inner:
            # With no result before it, the server refused to parse and nothing has begun.
            idle = conn.info.transaction_status == TransactionStatus.IDLE
            at_commit = idle and len(results) > 1
            raise _failure(statements, queries, results, at_commit=at_commit)
        # Committed already: a cancel came too late for that, and must not undo the rest.
        _run_after(conn, after)
    for result in results:
        hear(result)
    if ended is None:
        return None, (results[-1 - len(after)].command_status or b"").decode()
    return _texts(results[ended - 1]) if record.queries else None, closing


def _failure(
    statements: list[Statement], queries: list[str], results: list[PGresult], *, at_commit: bool
) -> StatementFailed:
    from psycopg.errors import error_from_result

    error = error_from_result(results[-1], encoding="utf-8")
    starts = [0]
    for query in queries:
        starts.append(starts[-1] + len(query) + len(_SEPARATOR))
    failed = len(results) - 1
    if failed == 0 and error.diag.statement_position:
        # The server parses all before it runs any, and may know less syntax than our parser.
        failed = bisect_right(starts, int(error.diag.statement_position) - 1) - 1
    # The first query is the BEGIN.
    of_script = 0 < failed <= len(statements) and not at_commit
    return StatementFailed(
        statements[failed - 1] if of_script else None,
        error,
        at_commit=at_commit,
        offset=starts[min(failed, len(queries))],
    )


def _run_after(conn: Connection, after: tuple[str, ...]) -> None:
    if after:
        conn.execute("; ".join(after).encode())


def _texts(result: PGresult) -> tuple[str | None, ...] | None:
    if result.ntuples == 0:
        return None
    values = (result.get_value(0, column) for column in range(result.nfields))
    return tuple(None if value is None else value.decode() for value in values)


def _run_singly(
    conn: Connection,
    batch: Batch,
    record: Record,
    after: tuple[str, ...],
    tell: Tell,
    inner: str,
    inside: InTransaction | None,
    hear: Hear,
) -> tuple[tuple[Any, ...] | None, str]:
    import psycopg

    current: Part | None = None
    row: tuple[Any, ...] | None = None
    at_commit = False
    try:
        conn.execute(batch.opening.encode())
        if inside and inside.before:
            inside.before(conn)
        for current in batch.parts:
            if isinstance(current, Passage):
                send_passage(conn, current, tell)
            else:
                cursor = conn.cursor()
                send_statement(cursor, current, tell)
                if cursor.pgresult:
                    hear(cursor.pgresult)
        current = None
        if inside and inside.after:
            inside.after(conn)
        row = _write_record(conn, record, hear)
        at_commit = True
        end = conn.execute(inner.encode() or (b"COMMIT" if batch.keep else b"ROLLBACK"))
    except psycopg.Error as error:
        # Of a passage, the first statement: the connection broke, nobody knows how far it came.
        failed = current.statements()[0] if current else None
        raise StatementFailed(failed, error, at_commit=at_commit) from None
    except (MigrationFileError, HookError):
        _roll_back(conn)
        raise
    _run_after(conn, after)
    return row, end.statusmessage or ""


def _roll_back(conn: Connection) -> None:
    from psycopg.pq import TransactionStatus

    # A hook that was ended by force may have taken the connection with it.
    if conn.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
        conn.execute("ROLLBACK")


def _run_function(
    conn: Connection,
    call: FunctionCall,
    record: Record,
    after: tuple[str, ...],
    inside: InTransaction | None,
    hear: Hear,
) -> tuple[Any, ...] | None:
    import psycopg

    from confiture_flows.migrations.functions import run_in_transaction

    row: tuple[Any, ...] | None = None
    recorded = False

    def write_record() -> None:
        nonlocal row, recorded
        if inside and inside.after:
            inside.after(conn)
        row = _write_record(conn, record, hear)
        recorded = True

    try:
        run_in_transaction(conn, call, write_record, inside.before if inside else None)
    except psycopg.Error as error:
        raise StatementFailed(None, error, at_commit=recorded) from None
    _run_after(conn, after)
    return row


def _write_record(conn: Connection, record: Record, hear: Hear) -> tuple[Any, ...] | None:
    row: tuple[Any, ...] | None = None
    for preparation in record.before:
        conn.execute(preparation.encode())
    for query in record.queries:
        recorded = conn.execute(*query)
        if recorded.pgresult:
            hear(recorded.pgresult)
        row = recorded.fetchone() if recorded.description else None
    return row
