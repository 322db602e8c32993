"""A statement, or a passage of a large file -> sent to the server.

The rows of a COPY block are streamed with their statement; what COPY ... TO STDOUT gives is
dropped; a function of a Python migration is called.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from confiture_flows.migrations.python_script import FunctionCall

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg
    from psycopg import Connection, Cursor
    from psycopg.pq.abc import PGresult

    from confiture_flows.migrations.blockers import Blocker
    from confiture_flows.sql.passage import Passage
    from confiture_flows.sql.statements import Statement

    Tell = Callable[["Sent"], None]


@dataclass(frozen=True, slots=True)
class Sent:
    """How far a large file is.

    Attributes:
        position: Bytes of the file up to there.
        size: Bytes of the file.
        statement: 1-based number in the script of the statement that follows, or goes on.
    """

    position: int
    size: int
    statement: int


def unwatched_sending(_sent: Sent) -> None:
    """Hears how far a large file is when nobody has asked."""


class StatementFailed(Exception):
    """What failed.

    Attributes:
        statement: Of the script; None is what records it, or the commit.
        error: What psycopg says.
        at_commit: Whether all statements had succeeded.
        offset: Characters that were sent before the statement; the error's position counts them.
        waited: Seconds spent on tries, when patience with a busy table has ended.
        next_step: What to do, where the caller knows it.
        escaped: Whether a function of Python has ended the transaction that it was called in.
        blockers: Who was in the way when it was last looked.
    """

    def __init__(
        self,
        statement: Statement | None,
        error: psycopg.Error,
        *,
        at_commit: bool = False,
        offset: int = 0,
        next_step: str | None = None,
        escaped: bool = False,
    ) -> None:
        self.statement, self.error = statement, error
        self.at_commit, self.offset = at_commit, offset
        self.next_step, self.escaped = next_step, escaped
        self.waited: float | None = None
        self.blockers: tuple[Blocker, ...] = ()


def run_statement(
    conn: Connection, statement: Statement, *, without_lock_timeout: bool = False
) -> None:
    """Run a statement outside a transaction of ours.

    Raises:
        StatementFailed: It failed.
    """
    import psycopg

    try:
        if without_lock_timeout:
            row = conn.execute("SELECT pg_catalog.current_setting('lock_timeout')").fetchone()
            conn.execute("SET lock_timeout = 0")
            send_statement(conn.cursor(), statement)
            conn.execute("SELECT pg_catalog.set_config('lock_timeout', %s, false)", row)
        else:
            send_statement(conn.cursor(), statement)
    except psycopg.Error as error:
        raise StatementFailed(statement, error) from None


def simple_query(conn: Connection, query: str) -> list[PGresult]:
    """Send statements as one simple query; its results, of which the last may be an error."""
    from psycopg import generators

    with conn.lock:
        conn.pgconn.send_query(query.encode())
        # psycopg's own waiting: it ends the query on Ctrl-C.
        return conn.wait(generators.execute(conn.pgconn))


def send_passage(conn: Connection, passage: Passage, tell: Tell) -> None:
    """Read a passage of a large file, and send it as one simple query.

    Raises:
        StatementFailed: One of its statements failed.
        MigrationFileError: The file was written to meanwhile.
    """
    from psycopg.errors import error_from_result
    from psycopg.pq import ExecStatus

    tell(Sent(passage.place.offset, passage.place.state.size, passage.number))
    text = passage.read()
    results = simple_query(conn, text)
    if results[-1].status == ExecStatus.FATAL_ERROR:
        error = error_from_result(results[-1], encoding="utf-8")
        position = error.diag.statement_position
        at = int(position) if position else None
        statement, offset = passage.failed(text, len(results) - 1, at)
        raise StatementFailed(statement, error, offset=offset)


def send_statement(cursor: Cursor, statement: Statement, tell: Tell = unwatched_sending) -> None:
    """Send a statement as it stands, with the rows of its COPY block.

    Raises:
        psycopg.Error: It failed.
        StatementFailed: A function of Python failed.
    """
    if isinstance(statement, FunctionCall):
        from confiture_flows.migrations.functions import run_alone

        run_alone(cursor.connection, statement)
    elif statement.copy_data is not None:
        rows = statement.copy_data
        at = 0
        with cursor.copy(statement.sql.encode()) as copy:
            for block in statement.copy_blocks():
                if not isinstance(rows, bytes):
                    tell(Sent(rows.offset + at, rows.state.size, statement.number))
                    at += len(block)
                copy.write(block)
    elif statement.copies_out:
        with cursor.copy(statement.sql.encode()) as copy:
            for _rows in copy:
                pass  # psql would print them; a migration has nobody to read them
    else:
        cursor.execute(statement.sql.encode())
