"""Another connection -> what the run does: its statement, how far, and whom it waits for."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from confiture_flows.errors import TargetError
from confiture_flows.migrations.blockers import Blocker, find_blockers, first_words, named
from confiture_flows.migrations.lock import find_run
from confiture_flows.migrations.lookout import another_connection, soon

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from psycopg import Connection

    from confiture_flows.migrations.blockers import Backend
    from confiture_flows.target import Target

_EVERY = 0.5  # seconds between two looks
_AGAIN = 5.0  # seconds until the second connection is tried again where it could not be had

_DOING = """
SELECT a.query, extract(epoch FROM clock_timestamp() - a.query_start)::float8,
    (SELECT l.mode || ' on ' || l.relation::pg_catalog.regclass FROM pg_catalog.pg_locks AS l
        WHERE l.pid = a.pid AND NOT l.granted AND l.relation IS NOT NULL LIMIT 1)
FROM pg_catalog.pg_stat_activity AS a
WHERE a.pid = %s AND a.backend_start = %s AND a.state = 'active'
"""
# Of what a phase counts, rows tell more than blocks. Source: PostgreSQL docs, Progress Reporting.
_PROGRESS = """
SELECT command || coalesce(' on ' || relid::pg_catalog.regclass::text, ''), phase, done, total,
    unit
FROM (
    SELECT pid, command, relid, phase,
        CASE WHEN tuples_total > 0 THEN tuples_done ELSE blocks_done END AS done,
        CASE WHEN tuples_total > 0 THEN tuples_total ELSE blocks_total END AS total,
        CASE WHEN tuples_total > 0 THEN 'rows' ELSE 'blocks' END AS unit
    FROM pg_catalog.pg_stat_progress_create_index
    UNION ALL
    SELECT pid, command, relid, phase,
        CASE WHEN heap_tuples_written > 0 THEN heap_tuples_written ELSE heap_blks_scanned END,
        CASE WHEN heap_tuples_written > 0 THEN 0 ELSE heap_blks_total END,
        CASE WHEN heap_tuples_written > 0 THEN 'rows' ELSE 'blocks' END
    FROM pg_catalog.pg_stat_progress_cluster
{copy}) AS found
WHERE pid = %s
"""
_COPY = """    UNION ALL
    SELECT pid, command, relid, '', tuples_processed, 0, 'rows'
    FROM pg_catalog.pg_stat_progress_copy
"""
_COPY_IS_TOLD = 140000


@dataclass(frozen=True, slots=True)
class Doing:
    """What the run's session is doing.

    Attributes:
        query: As the server has it, cut off where it is long; never to be shown whole.
        seconds: Since it began.
        wanted: The lock that it waits for, such as "AccessExclusiveLock on users".
        blockers: Who holds it.
        what: The command that tells of its progress, and on which table.
        phase: Where it is in that.
        done: How many units.
        total: Of how many; 0 where nobody knows.
        unit: "rows" or "blocks".
    """

    query: str
    seconds: float
    wanted: str | None = None
    blockers: tuple[Blocker, ...] = ()
    what: str = ""
    phase: str = ""
    done: int = 0
    total: int = 0
    unit: str = ""

    @property
    def words(self) -> str:
        """The words of the query before its first value."""
        return first_words(self.query)

    @property
    def waits(self) -> str:
        """Whom it waits for, in words; empty where it does not wait."""
        if not self.blockers:
            return ""
        wanted = f"{self.wanted}, held by " if self.wanted else ""
        return f"waits for {wanted}{named(self.blockers)}"


class Onlooker:
    """Looks at the run now and then, from a thread and a connection of its own.

    Who cannot look (no connection left, no right) tells nothing, and nothing fails.
    """

    def __init__(self, target: Target, tell: Callable[[Doing], None]) -> None:
        self._another = another_connection(target)
        self._tell = tell
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join(timeout=5)

    def _watch(self) -> None:
        import psycopg

        wait = _EVERY  # a short run opens no second connection
        while not self._over.wait(wait):
            try:
                with self._another() as conn:
                    while not self._over.wait(_EVERY):
                        with soon(conn):
                            doing = look(conn)
                        if doing is not None:
                            self._tell(doing)
            except (TargetError, psycopg.Error, TimeoutError):
                wait = _AGAIN


def look(conn: Connection) -> Doing | None:
    """What the run of this database is doing; None where there is none, or it does nothing.

    Args:
        conn: Another session, in autocommit.
    """
    run = find_run(conn)
    row = conn.execute(_DOING, (run.pid, run.started)).fetchone() if run else None
    if run is None or row is None:
        return None
    query, seconds, wanted = row
    progress = _progress(conn, run)
    return Doing(query, seconds, wanted, find_blockers(conn, run), *progress)


def _progress(conn: Connection, run: Backend) -> tuple[str, str, int, int, str]:
    from psycopg import sql

    copy = sql.SQL(_COPY if conn.info.server_version >= _COPY_IS_TOLD else "")
    row = conn.execute(sql.SQL(_PROGRESS).format(copy=copy), (run.pid,)).fetchone()
    return row or ("", "", 0, 0, "")


@dataclass
class Pace:
    """How fast what is counted goes on."""

    key: tuple[str, str, str] = ("", "", "")
    since: float = 0.0
    start: int = 0

    def said(self, doing: Doing) -> str:
        """How far, how fast, and how long still; empty where nothing is counted."""
        if not doing.what:
            return ""
        now, key = time.monotonic(), (doing.what, doing.phase, doing.unit)
        if key != self.key or doing.done < self.start:
            self.key, self.since, self.start = key, now, doing.done
        parts = [f"{doing.what}{f': {doing.phase}' if doing.phase else ''}"]
        if doing.done:
            of = f" of {doing.total:,}" if doing.total else ""
            parts.append(f"{doing.done:,}{of} {doing.unit}")
        passed = now - self.since
        rate = (doing.done - self.start) / passed if passed >= _EVERY else 0.0
        if rate:
            parts.append(f"{rate:,.0f} {doing.unit}/s")
            if doing.total > doing.done:
                parts.append(f"about {(doing.total - doing.done) / rate:,.0f} s left")
        return ", ".join(parts)
