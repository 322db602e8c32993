"""One run at a time on a target: a session advisory lock, the one fraiseql-confiture takes too.

It lives on the connection that applies, so it ends exactly when the last statement of
a killed run ends. It is polled: a session that waits inside pg_advisory_lock holds a
snapshot, and a concurrent index build of the run it waits for would wait for it.
"""

from __future__ import annotations

import hashlib
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from confiture_flows.errors import LockError
from confiture_flows.migrations.blockers import Backend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg import Connection

_CLASS = 1751936052  # fraiseql-confiture's constant; sharing it keeps the two tools apart
_POLL_SECONDS = 0.25

_HOLDER = """
SELECT a.pid, a.application_name, a.client_addr::text, a.backend_start
FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
    AND l.classid::bigint = %s AND l.objid::bigint = %s
    AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
"""


def lock_key(database: str) -> int:
    """The second half of the lock's key: 31 bits of the SHA-256 of the database's name."""
    return int.from_bytes(hashlib.sha256(database.encode()).digest()[:4], "big") & 0x7FFFFFFF


def lock_held_sql(database: str) -> str:
    """A SQL expression: whether this session holds the run's lock. It changes nothing.

    The run holds the lock twice. Giving one back succeeds only for a holder, and it is taken
    again at once; to look into pg_locks costs a hundred times as much.
    """
    key = f"{_CLASS}, {lock_key(database)}"
    return f"(pg_catalog.pg_advisory_unlock({key}) AND pg_catalog.pg_try_advisory_lock({key}))"


@contextmanager
def run_lock(
    conn: Connection,
    patience: float,
    on_wait: Callable[[str], None] = lambda _holder: None,
    on_tick: Callable[[], None] = lambda: None,
) -> Iterator[None]:
    """Hold the run's lock for the length of the block.

    Args:
        conn: The connection that will apply; in autocommit.
        patience: Seconds to wait for another run to end.
        on_wait: Told once who holds the lock, when there is somebody to wait for.
        on_tick: Called at each poll; what it raises ends the wait.

    Raises:
        LockError: Patience ended.
    """
    key = (_CLASS, lock_key(conn.info.dbname))
    deadline = time.monotonic() + patience
    told = False
    while not _try_lock(conn, key):
        on_tick()
        if not told:
            on_wait(_holder(conn, key))
            told = True
        if time.monotonic() >= deadline:
            raise LockError(
                f"Another run works on this database: {_holder(conn, key)}. "
                f"Waited {patience:g} s for it.",
                next_step="Run again when it has ended, or raise lock_patience.",
            )
        time.sleep(min(_POLL_SECONDS, max(deadline - time.monotonic(), 0.01)))
    _try_lock(conn, key)  # the second time, for lock_held_sql
    try:
        yield
    finally:
        # A file may have released it; and a broken connection has released everything.
        if not conn.closed and not conn.broken:
            _release(conn, key)


def find_run(conn: Connection) -> Backend | None:
    """The session that holds the run's lock of this database; None when nobody does."""
    key = (_CLASS, lock_key(conn.info.dbname))
    row = conn.execute(_HOLDER, key, binary=True).fetchone()
    return Backend(row[0], row[3]) if row else None


def _try_lock(conn: Connection, key: tuple[int, int]) -> bool:
    row = conn.execute("SELECT pg_catalog.pg_try_advisory_lock(%s, %s)", key).fetchone()
    return bool(row and row[0])


def _release(conn: Connection, key: tuple[int, int]) -> None:
    from psycopg.pq import TransactionStatus

    if conn.info.transaction_status == TransactionStatus.IDLE:
        for _ in range(2):
            conn.execute("SELECT pg_catalog.pg_advisory_unlock(%s, %s)", key)


def _holder(conn: Connection, key: tuple[int, int]) -> str:
    row = conn.execute(_HOLDER, key, binary=True).fetchone()
    if row is None:
        return "it has just ended"
    pid, application, address, since = row
    place = f" from {address}" if address else ""
    return f"{application or 'a session'}{place}, backend {pid}, since {since:%Y-%m-%d %H:%M:%S}"
