"""A query about tables -> its rows, or which tables somebody keeps locked. Only reads.

Even the size of a table, or the text of its constraints, waits for whoever holds ACCESS EXCLUSIVE
on it, or is queued for that. Nobody should wait for a number as long as another's migration takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from confiture_flows.errors import LockError

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection

_Found = TypeVar("_Found")

# Longer than a migration that is quick; shorter than the patience of who asks.
LOCK_WAIT_MS = 10_000
_SHORT_MS = 500
_TRIES = 5
# A partition's lock is also in the way of the table above it, and that of a TOAST table of its own.
_LOCKED = """
SELECT DISTINCT t.oid::bigint, n.nspname, t.relname
FROM pg_catalog.pg_locks AS l
JOIN pg_catalog.pg_database AS d ON d.oid = l.database AND d.datname = current_database()
JOIN pg_catalog.pg_class AS c ON c.oid = l.relation OR c.reltoastrelid = l.relation
CROSS JOIN LATERAL (
    SELECT c.oid UNION SELECT a.relid FROM pg_catalog.pg_partition_ancestors(c.oid) AS a (relid)
) AS above (oid)
JOIN pg_catalog.pg_class AS t ON t.oid = above.oid
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
    AND l.pid <> pg_catalog.pg_backend_pid() AND t.relkind IN ('r', 'p', 'm')
ORDER BY 2, 3
"""


def limit_waiting(conn: Connection) -> None:
    """Let a transaction wait for a lock no longer than usual, if nothing limits it already."""
    conn.execute(
        "SELECT set_config('lock_timeout', %s, true) WHERE current_setting('lock_timeout') = '0'",
        (str(LOCK_WAIT_MS),),
    )


def locked_by_others(conn: Connection) -> dict[int, tuple[str, str]]:
    """The tables that other sessions hold in ACCESS EXCLUSIVE or wait to: schemas, names by oid."""
    return {oid: (schema, name) for oid, schema, name in conn.execute(_LOCKED)}


def ask_unlocked(
    conn: Connection, ask: Callable[[list[int]], _Found], *, wait_ms: int = LOCK_WAIT_MS
) -> tuple[_Found, tuple[tuple[str, str], ...]]:
    """Ask for sizes, without those of tables that somebody else keeps locked.

    In a transaction, the limit stays for what it asks later.

    Args:
        conn: In autocommit, or in a transaction.
        ask: Asks; it is given the oids of the tables to leave out.
        wait_ms: How long to wait for a table at first.

    Returns:
        What was found, and the schemas and names of the tables that were left out.

    Raises:
        LockError: Ever other tables were locked.
    """
    from psycopg.errors import LockNotAvailable

    left_out: dict[int, tuple[str, str]] = {}
    limit = wait_ms
    for _ in range(_TRIES):
        try:
            with conn.transaction():
                conn.execute("SELECT set_config('lock_timeout', %s, true)", (str(limit),))
                return ask(list(left_out)), tuple(left_out.values())
        except LockNotAvailable:
            left_out |= locked_by_others(conn)
            limit = min(limit, _SHORT_MS)
    raise LockError(
        "The sizes of tables cannot be read: ever other tables are locked.",
        next_step="Run it again when less is being altered there.",
    )
