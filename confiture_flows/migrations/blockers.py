"""Who a session waits for -> Blocker, with nothing in it that a report may not show.

pg_stat_activity hides what other users' sessions do from who lacks pg_read_all_stats; a Blocker
says so then. Of a query it keeps the words before the first value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from psycopg import Connection

_LONGEST_QUERY = 80  # characters

# pg_blocking_pids locks the whole lock table for a moment: it is asked only of a session that
# waits. It gives 0 for a prepared transaction, and the leader for a parallel worker.
_BLOCKERS = """
SELECT coalesce(a.pid, b.pid), a.application_name, a.usename, a.client_addr::text, a.xact_start,
    a.state, a.query, a.backend_type
FROM pg_catalog.pg_stat_get_activity(%s) AS own
CROSS JOIN LATERAL (
    SELECT DISTINCT pid FROM unnest(pg_catalog.pg_blocking_pids(own.pid)) AS pid
) AS b
LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = b.pid
WHERE own.backend_start = %s AND own.wait_event_type = 'Lock'
ORDER BY a.xact_start NULLS LAST, b.pid
"""
_PREPARED = """
SELECT gid, owner, prepared FROM pg_catalog.pg_prepared_xacts
WHERE database = pg_catalog.current_database() ORDER BY prepared
"""
_STILL_THERE = """
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_stat_activity AS a
    JOIN unnest(%s::int4[], %s::timestamptz[]) AS b (pid, since)
        ON a.pid = b.pid AND a.xact_start = b.since
)
"""

_COMMENT = re.compile(r"--[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
# A string, a quoted name, a dollar quote or parameter, a number.
_VALUE = re.compile(r"(?:\b(?:E|B|X|N|U&))?'|\"|\$|(?<![\w.])[-+]?\.?\d", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Backend:
    """A session on the server; the start tells it from a later one with the same number."""

    pid: int
    started: datetime


@dataclass(frozen=True, slots=True)
class Blocker:
    """A session, or a prepared transaction, that another one waits for.

    Attributes:
        pid: Of its backend; 0 for a prepared transaction.
        application: What it calls itself, or what the server calls it; may be empty.
        user: Its user.
        address: Where it comes from; None is the server's own machine, or hidden.
        since: When its transaction began; None when it has none, or it is hidden.
        state: As pg_stat_activity has it, such as "idle in transaction"; None is hidden.
        query: The words of its last query before the first value.
        prepared: The name of the prepared transaction.
    """

    pid: int
    application: str = ""
    user: str | None = None
    address: str | None = None
    since: datetime | None = None
    state: str | None = None
    query: str = ""
    prepared: str | None = None

    def __str__(self) -> str:
        since = f" since {self.since:%Y-%m-%d %H:%M:%S}" if self.since else ""
        if self.pid == 0:
            name = f" {self.prepared}" if self.prepared else ""
            owner = f" of user {self.user}" if self.user else ""
            return f"a prepared transaction{name}{owner}{since}"
        who = [self.application, f"user {self.user}" if self.user else ""]
        who.append(f"from {self.address}" if self.address else "")
        session = f"backend {self.pid} ({', '.join(part for part in who if part)})"
        if self.state is None:
            return f"{session}, whose doings only pg_read_all_stats shows"
        says = "its last query" if self.state.startswith("idle") else "running"
        query = f", {says}: {self.query}" if self.query else ""
        return f"{session.replace(' ()', '')}, {self.state}{since}{query}"

    @property
    def ending(self) -> str:
        """What to run to end it."""
        if self.pid:
            return f"SELECT pg_terminate_backend({self.pid});"
        if self.prepared:
            return "ROLLBACK PREPARED '" + self.prepared.replace("'", "''") + "';"
        return "SELECT gid FROM pg_prepared_xacts; then ROLLBACK PREPARED 'gid';"


def named(blockers: Sequence[Blocker]) -> str:
    """Blockers in one line: the first two, and how many more."""
    more = len(blockers) - 2
    said = "; ".join(str(blocker) for blocker in blockers[:2])
    return said if more <= 0 else f"{said}; and {more} more"


def find_blockers(conn: Connection, backend: Backend) -> tuple[Blocker, ...]:
    """Who a session waits for, the oldest transaction first; nobody if it does not wait.

    Args:
        conn: Another session on the same server.
        backend: The session that may wait.
    """
    rows = conn.execute(_BLOCKERS, (backend.pid, backend.started), binary=True).fetchall()
    found = [blocker_of(row) for row in rows if row[0]]
    if len(found) < len(rows):
        found.append(_prepared(conn))
    return tuple(found)


def still_there(conn: Connection, blockers: Sequence[Blocker]) -> bool:
    """Whether one of these transactions goes on, as far as that can be seen."""
    if any(blocker.since is None or not blocker.pid for blocker in blockers):
        return True
    pids, since = [each.pid for each in blockers], [each.since for each in blockers]
    row = conn.execute(_STILL_THERE, (pids, since)).fetchone()
    return bool(row and row[0])


def first_words(query: str) -> str:
    """The words of a query before its first value: no string, number or password.

    A comment is left out too: programs write names and addresses there.
    """
    words = " ".join(_COMMENT.sub(" ", query).split())
    value = _VALUE.search(words)
    cut = words[: value.start()].rstrip(" (=,") if value else words
    short = cut[:_LONGEST_QUERY].rstrip()
    return f"{short} …" if short and short != words else short


def blocker_of(row: tuple[Any, ...]) -> Blocker:
    """A session.

    Args:
        row: Of pg_stat_activity: pid, application_name, usename, client_addr, xact_start, state,
            query, backend_type.
    """
    pid, application, user, address, since, state, query, kind = row
    # Workers of the server (autovacuum) have no state of their own kind; nor a user.
    state = state or (kind if user is None else None)
    words = first_words(query or "") if state else ""
    return Blocker(pid, application or kind or "", user, address, since, state, words)


def _prepared(conn: Connection) -> Blocker:
    rows = conn.execute(_PREPARED, binary=True).fetchall()
    if len(rows) != 1:
        return Blocker(0)  # which one it is, pg_blocking_pids does not tell
    gid, owner, since = rows[0]
    return Blocker(0, user=owner, since=since, prepared=gid)
