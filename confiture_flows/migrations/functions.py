"""conn + FunctionCall -> the function of a Python migration, called as the engine runs statements.

In a transaction it may not end that transaction: psycopg refuses commit() and rollback(), and
COMMIT as SQL is found out by the transaction's id. What the function raises is told with its own
line. The module has a name of its own in this process, and is on no path.
"""

from __future__ import annotations

import inspect
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
from psycopg.pq import TransactionStatus

from confiture_flows.errors import MigrationFileError
from confiture_flows.migrations.send import StatementFailed
from confiture_flows.sql.statements import masked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from psycopg import Connection

    from confiture_flows.migrations.python_script import FunctionCall

_OPEN = (TransactionStatus.INTRANS, TransactionStatus.INERROR)
_LONGEST_MESSAGE = 300  # characters of what a function raised
# What a function may set on the connection, for itself.
_SETTINGS = ("row_factory", "cursor_factory", "prepare_threshold", "prepared_max")
_OUTSIDE_SETTINGS = ("isolation_level", "read_only", "deferrable", "autocommit")
_ENDS = frozenset({"commit", "rollback"})


class FunctionError(psycopg.Error):
    """What a function raised, or did, that the server has no word for."""


def run_in_transaction(
    conn: Connection,
    call: FunctionCall,
    and_then: Callable[[], None],
    first: Callable[[Connection], None] | None = None,
) -> None:
    """Call a function in a transaction of its own, and commit.

    Args:
        conn: In autocommit, outside a transaction.
        call: What to call.
        and_then: What else belongs to the transaction, after it.
        first: The same, before it.

    Raises:
        StatementFailed: The function failed, or has ended the transaction.
        MigrationFileError: The module cannot be loaded.
        psycopg.Error: `and_then` or the commit failed.
    """
    with _loaded(call) as module:
        started: int | None = None
        try:
            with conn.transaction():
                started = _transaction_id(conn)
                if first:
                    first(conn)
                _call(conn, call, module)
                _check_still_open(conn, call, started)
                and_then()
        except StatementFailed as failure:
            if started is not None and _has_escaped(conn, started):
                raise _escaped(call, failure) from None
            raise


def run_alone(conn: Connection, call: FunctionCall) -> None:
    """Call a function outside transactions; it may begin and end its own.

    Raises:
        StatementFailed: It failed, or has left a transaction open.
        MigrationFileError: The module cannot be loaded.
    """
    with _loaded(call) as module:
        _call(conn, call, module)
    if conn.info.transaction_status in _OPEN:
        conn.execute("ROLLBACK")
        raise StatementFailed(
            call,
            FunctionError(f"{call.function}() left a transaction open, which was rolled back."),
            next_step="End it in the function: `with conn.transaction():` does.",
        )


@contextmanager
def _loaded(call: FunctionCall) -> Iterator[ModuleType]:
    """The module, as long as it is needed. Classes and pickles look for it in sys.modules."""
    path = call.file or Path()
    # Two runs of a fleet may have the same file at the same time.
    module = ModuleType(f"_confiture_migration_{uuid4().hex}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    try:
        try:
            exec(compile(call.source, str(path), "exec", dont_inherit=True), module.__dict__)  # noqa: S102
        except (Exception, SystemExit) as error:
            raise MigrationFileError(
                f"The module cannot be loaded: {_told(error)}.",
                file=path,
                line=_own_line(error, path) or 1,
                next_step="Mend it; what stands outside of functions runs before up() and down().",
            ) from None
        yield module
    finally:
        del sys.modules[module.__name__]


def _call(conn: Connection, call: FunctionCall, module: ModuleType) -> None:
    kept = {name: getattr(conn, name) for name in (*_SETTINGS, *_OUTSIDE_SETTINGS)}
    try:
        result = _function(conn, call, module)()
    except StatementFailed:
        raise
    except (Exception, SystemExit) as error:
        raise _failure(error, call) from None
    finally:
        _restore(conn, kept)
    if conn.closed and not conn.broken:
        raise StatementFailed(
            call,
            FunctionError(f"{call.function}() closed the connection."),
            next_step="Leave it open: the run needs it.",
        )
    if inspect.isawaitable(result) or inspect.isgenerator(result):
        what = "a generator" if inspect.isgenerator(result) else "a coroutine"
        if inspect.iscoroutine(result):
            result.close()
        raise StatementFailed(
            call,
            FunctionError(f"{call.function}() returned {what}, which nobody runs."),
        )


def _function(conn: Connection, call: FunctionCall, module: ModuleType) -> Callable[[], Any]:
    if call.class_name is None:
        function = getattr(module, call.function)
        owner: object = module
        run: Callable[[], Any] = lambda: function(conn)  # noqa: E731
    else:
        owner = getattr(module, call.class_name)
        run = lambda: getattr(owner(conn), call.function)()  # noqa: E731 # pyright: ignore
    if getattr(owner, "transactional", True) is not call.transactional:
        raise StatementFailed(
            call,
            FunctionError(
                f"`transactional` is not {call.transactional}, as the file seems to say."
            ),
            next_step="Write it once, outside of conditions, as a word.",
        )
    return run


def _restore(conn: Connection, kept: dict[str, Any]) -> None:
    if conn.closed:
        return
    idle = conn.info.transaction_status == TransactionStatus.IDLE
    for name, value in kept.items():
        if getattr(conn, name) != value and (idle or name in _SETTINGS):
            setattr(conn, name, value)


def _transaction_id(conn: Connection) -> int:
    row = conn.execute("SELECT pg_catalog.txid_current()").fetchone()
    return row[0] if row else 0


def _check_still_open(conn: Connection, call: FunctionCall, started: int) -> None:
    status = conn.info.transaction_status
    if status == TransactionStatus.INERROR:
        raise StatementFailed(
            call,
            FunctionError(
                f"{call.function}() returned although a statement of it had failed, which "
                "ended its transaction."
            ),
            next_step="Let the error out, or put the statement into `with conn.transaction():` and "
            "catch it outside of that.",
        )
    if status != TransactionStatus.INTRANS or _transaction_id(conn) != started:
        raise _escaped(call)


def _has_escaped(conn: Connection, started: int) -> bool:
    """Whether something of it is committed although it failed."""
    if conn.closed or conn.broken or conn.info.transaction_status != TransactionStatus.IDLE:
        return False
    row = conn.execute("SELECT pg_catalog.txid_status(%s)", (started,)).fetchone()
    return row is not None and row[0] == "committed"


def _escaped(call: FunctionCall, failure: StatementFailed | None = None) -> StatementFailed:
    return StatementFailed(
        failure.statement if failure else call,
        FunctionError(f"{call.function}() ended the transaction that it was called in."),
        next_step="Take the COMMIT or ROLLBACK out of it; with `transactional = False` it may end "
        "its own.",
        escaped=True,
    )


def _failure(error: BaseException, call: FunctionCall) -> StatementFailed:
    line = _own_line(error, call.file)
    where = call.at(line) if line else call
    said = _database_error(error)
    if said is not None and said.sqlstate:
        return StatementFailed(where, said)
    if isinstance(error, psycopg.ProgrammingError) and (end := _ended_by(error)):
        return StatementFailed(
            where,
            FunctionError(
                f"{call.function}() calls conn.{end}(), but the transaction is the run's to end."
            ),
            next_step="Take it out; with `transactional = False` the function may end its own.",
        )
    if isinstance(said, psycopg.OperationalError):
        return StatementFailed(where, said)  # the connection broke: it may be the server's doing
    return StatementFailed(where, FunctionError(f"{_told(error)}."))


def _database_error(error: BaseException) -> psycopg.Error | None:
    """The server's error, which others may have wrapped."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, psycopg.Error):
        seen = seen.__cause__
    return seen


def _ended_by(error: BaseException) -> str | None:
    """The method of the connection that raised, if it ends transactions."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((each.name for each in frames if each.name in _ENDS), None)


def _own_line(error: BaseException, path: Path | None) -> int | None:
    """The last line of the file itself on the way to where the error was raised."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno
    trace: TracebackType | None = error.__traceback__
    line: int | None = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _told(error: BaseException) -> str:
    """Type and first line of what was raised, passwords masked."""
    first = str(error).strip().partition("\n")[0][:_LONGEST_MESSAGE]
    name = type(error).__name__
    return masked(f"{name}: {first}".removesuffix(".") if first else name)
