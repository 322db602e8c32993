"""Settings of the sessions that copy, and what their errors mean. An error never quotes a row."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from psycopg import DataError, Error, IntegrityError, OperationalError, sql

from confiture_flows.errors import CopyError, CopyInterruptedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from psycopg import Connection

# One meaning for the text of every type on both sides; as pg_dump sets them.
_TEXT_FORMS = {
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "xmloption": "content",
    "lc_monetary": "C",
    "TimeZone": "UTC",
}
_PATIENT = {
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "lock_timeout": "10s",
    # A policy must not silently leave rows out: the server refuses instead.
    "row_security": "off",
}
# Lost connections, a server that stops or is full, serialization, deadlock, a busy lock.
_PASSING = ("08", "57P", "53300", "40", "55P03")
_COLUMN = re.compile(r"\bCOPY [^,]+(?:, line \d+)?, column ([^:,]+)")


def prepare_session(conn: Connection, *, writing: bool) -> None:
    """Set what a copying session needs.

    Args:
        conn: In autocommit.
        writing: Whether rows are written.
    """
    settings = {**_PATIENT, **_TEXT_FORMS, "client_encoding": "UTF8"}
    if conn.info.server_version >= 140_000:
        settings["idle_session_timeout"] = "0"
    if writing:
        # The swap of names writes and flushes, and all before it with it.
        settings["synchronous_commit"] = "off"
        # A copy has the settings of its source's database from the beginning.
        settings["default_transaction_read_only"] = "off"
    set_all(conn, settings)


def set_text_forms(conn: Connection) -> None:
    """Let a session that only looks write values as those that copy do, whatever it was set to."""
    set_all(conn, _TEXT_FORMS)


def set_all(conn: Connection, settings: Mapping[str, str]) -> None:
    """Set parameters; bound, so that no statement's text holds a value."""
    if settings:
        calls = sql.SQL(", ").join(
            [sql.SQL("pg_catalog.set_config(%s, %s, false)")] * len(settings)
        )
        values = [part for pair in settings.items() for part in pair]
        conn.execute(sql.SQL("SELECT {}").format(calls), values)


@contextmanager
def told_without_rows(what: str) -> Iterator[None]:
    """Turn errors of psycopg into ours, which say where and what kind, never with which value."""
    try:
        yield
    except Error as error:
        raise copy_error(what, error) from None


@contextmanager
def values_untold(what: str) -> Iterator[None]:
    """Turn errors that a value was the reason of into ours, which do not quote it."""
    try:
        yield
    except (DataError, IntegrityError) as error:
        raise copy_error(what, error) from None


def copy_error(what: str, error: Error) -> CopyError:
    """What an error of psycopg means for a copy.

    Args:
        what: What was being done, such as "Copying shop.users".
        error: What psycopg has raised.
    """
    state = error.sqlstate
    if (state or "").startswith(_PASSING) or (
        state is None and isinstance(error, OperationalError)
    ):
        reason = told_kind(error) if state else "the connection broke"
        return CopyInterruptedError(f"{what} was interrupted: {reason}.", sqlstate=state)
    column = error.diag.column_name or _column_of(error.diag.context)
    where = f", column {column}" if column else ""
    constraint = error.diag.constraint_name
    broken = f", constraint {constraint}" if constraint else ""
    return CopyError(
        f"{what} failed{where}{broken}: {told_kind(error)}.",
        sqlstate=state,
        next_step=_advice(state),
    )


def told_kind(error: Error) -> str:
    """The name of its class in words: the server's own text may quote a value."""
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", type(error).__name__).lower()
    return f"{words} ({error.sqlstate})" if error.sqlstate else words


def _column_of(context: str | None) -> str | None:
    match = _COLUMN.search(context or "")
    return match[1].strip() if match else None


def _advice(state: str | None) -> str | None:
    if state == "42501":
        return (
            "The user has to read all rows: a superuser, or a role with BYPASSRLS and SELECT on "
            "every table."
        )
    if (state or "").startswith("23"):
        return "Masked values break the constraint: choose a strategy that keeps it."
    if (state or "").startswith("22"):
        return (
            "A strategy gives values that the column does not take, or a condition on rows cannot "
            "be computed for all of them."
        )
    return None
