"""conn -> the backend that works for it; refuses a pooler that hands it a new one each time.

The run's lock, its settings and temporary tables belong to a session. Behind a pooler in
transaction mode (pgbouncer, Odyssey, PgCat, Supavisor) a client has none: the next transaction
may run on another backend, and another client on this one, lock and all.

Who keeps a pooler is told by the key that the server gives for cancelling: a pooler gives its
own, while tunnels, proxies and load balancers pass the server's on. What a pooler does is then
tried out: a second client must not get our backend, nor we another, while both are there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.errors import TargetError
from confiture_flows.migrations.blockers import Backend

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.migrations.lookout import Another

_ROUNDS = 20  # other clients may have had the backend for a moment; once is enough to know
_BACKEND = """
SELECT pid, backend_start
FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid())
"""
_NEXT_STEP = (
    "Point the target at PostgreSQL itself (usually port 5432), or at a pool in session mode; "
    "applications may go on using this one."
)


def check_backend(conn: Connection, another: Another | None) -> Backend:
    """Who works for a connection, when it is sure to stay so.

    Args:
        conn: Outside a transaction, in autocommit.
        another: Opens a second connection; asked only behind a pooler.

    Raises:
        TargetError: The pooler gives each transaction, or each statement, any backend.
    """
    backend = _backend(conn)
    if backend.pid == conn.info.backend_pid:
        return backend
    _refuse_statement_mode(conn)
    if _backend(conn) != backend or (another and _is_shared(conn, backend, another)):
        raise TargetError(
            "A connection pooler in transaction mode is in between: each transaction may run in "
            "another session, so the lock that keeps two runs apart would not.",
            next_step=_NEXT_STEP,
        )
    return backend


def _backend(conn: Connection) -> Backend:
    row = conn.execute(_BACKEND, binary=True).fetchone()
    if row is None:
        raise TargetError("The server does not know of this session.")
    return Backend(*row)


def _refuse_statement_mode(conn: Connection) -> None:
    import psycopg

    try:
        conn.execute("BEGIN")
        conn.execute("COMMIT")
    except psycopg.Error:
        raise TargetError(
            "A connection pooler in statement mode is in between: it allows no transactions.",
            next_step=_NEXT_STEP,
        ) from None


def _is_shared(conn: Connection, backend: Backend, another: Another) -> bool:
    """Whether two clients meet in one backend, or one client in two.

    In session mode neither can be, whoever else uses the pool. In transaction mode our backend
    is free between our statements: the second client is given it, or somebody else has it and we
    are given another. Where a third client keeps both of us on our own for a while, we are given
    the second's as soon as it is free, since poolers prefer the backend that was used last.
    """
    import psycopg

    from confiture_flows.migrations.lookout import soon

    try:
        with another() as second, soon(second):
            for _ in range(_ROUNDS):
                second.execute("BEGIN")
                if _backend(second) == backend or _backend(conn) != backend:
                    return True
                second.execute("COMMIT")
                if _backend(conn) != backend:
                    return True
    except (psycopg.Error, TimeoutError, TargetError):
        return False  # no second session to be had: a pool in session mode that is full
    return False
