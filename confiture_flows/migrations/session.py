"""conn + limits -> the session in which every migration starts, again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.config import FlushName, Limits

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


def session_reset(conn: Connection, limits: Limits, flush: FlushName = "commit") -> tuple[str, ...]:
    """The statements that put the session into the state in which every migration starts.

    Args:
        conn: The session.
        limits: Of the target.
        flush: "run" lets no commit wait for the disk; see `durability`.
    """
    settings = {
        "lock_timeout": limits.lock_timeout_ms,
        "statement_timeout": limits.statement_timeout_ms,
        "idle_in_transaction_session_timeout": 0,
        "standard_conforming_strings": "on",  # as our parser reads them
        "client_encoding": "'UTF8'",  # what scripts are sent in, whatever the database's own
    }
    if flush == "run":
        settings["synchronous_commit"] = "off"
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
