"""The sessions of a proof: the source as of the copy's snapshot, and three on the loaded database.

Nothing is written on either side.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from psycopg import sql

from confiture_flows.anonymization.copying.sessions import (
    prepare_session,
    set_all,
    told_without_rows,
)
from confiture_flows.anonymization.copying.source import BEGIN
from confiture_flows.anonymization.proof.hashing import Hashing, agreed_hashing
from confiture_flows.target import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg import Connection

    from confiture_flows.anonymization.copying.values import CopyAccess

# Joins go to files of the server when they need more.
_MEMORY = "64MB"
# Compiling these many short queries costs more than they do.
_PLAIN = {"jit": "off"}
_JIT = 110_000


@dataclass(frozen=True, slots=True)
class ProofSessions:
    """Open connections.

    Attributes:
        source: In a transaction that sees what the copy saw.
        place: To the loaded database.
        reading: To the loaded database as well, for the text in which values are looked for.
        asking: And for the hashes of its tokens.
        hashing: On which both servers agree.
        stop: Set when the proof is over before its threads are.
    """

    source: Connection
    place: Connection
    reading: Connection
    asking: Connection
    hashing: Hashing
    stop: Event = field(default_factory=Event)

    def row(self, query: sql.Composed) -> tuple[Any, ...]:
        """The one row of a query on the loaded database."""
        return one_row(self.place, query)

    def both(self, first: Callable[[], object], second: Callable[[], object]) -> None:
        """Call both at the same time; each uses connections of its own."""
        with ThreadPoolExecutor(1, "confiture-proof") as threads:
            running = threads.submit(first)
            try:
                second()
            except BaseException:
                self.stop.set()
                raise
            running.result()


def one_row(conn: Connection, query: sql.Composed) -> tuple[Any, ...]:
    """The one row of a query."""
    row = conn.execute(query).fetchone()
    assert row is not None  # noqa: S101 - an aggregate
    return row


@contextmanager
def open_sessions(access: CopyAccess) -> Iterator[ProofSessions]:
    """Open them for the block.

    Raises:
        CopyError: The snapshot is gone, or a server refuses.
        TargetError: A server does not answer.
    """
    assert not isinstance(access.place, Path)  # noqa: S101 - nobody can look into files
    with ExitStack() as stack:
        source = stack.enter_context(connect(access.source, "proof source"))
        place = stack.enter_context(connect(access.place, "proof"))
        reading = stack.enter_context(connect(access.place, "proof rows"))
        asking = stack.enter_context(connect(access.place, "proof tokens"))
        stack.enter_context(told_without_rows("Proving the copy"))
        prepare_session(source, writing=False)
        path = source.execute("SHOW search_path").fetchone()
        for conn in (place, reading, asking):
            prepare_session(conn, writing=False)
            set_all(conn, {"work_mem": _MEMORY, "search_path": path[0] if path else ""})
        for conn in (source, place, reading, asking):
            if conn.info.server_version >= _JIT:
                set_all(conn, _PLAIN)
        source.execute(BEGIN)
        source.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(access.snapshot))
        yield ProofSessions(source, place, reading, asking, agreed_hashing(source, place))
