"""The sessions of a proof: the source as of the copy's snapshot, and the loaded database twice.

What a proof writes is in temporary tables of the loaded database, which end with its session.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg import sql

from confiture_flows.anonymization.copying.pipe import WRITE_SIZE, CopyReader, CopyWriter, pipe
from confiture_flows.anonymization.copying.sessions import (
    prepare_session,
    set_all,
    told_without_rows,
)
from confiture_flows.anonymization.copying.source import BEGIN
from confiture_flows.anonymization.proof.hashing import Hashing, agreed_hashing
from confiture_flows.target import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from confiture_flows.anonymization.copying.values import CopyAccess

# Joins over millions of hashes go to files of the server when they need more.
_MEMORY = {"work_mem": "64MB", "temp_buffers": "32MB"}
# Compiling these many short queries costs more than they do.
_PLAIN = {"jit": "off"}

_JIT = 110_000


@dataclass(frozen=True, slots=True)
class ProofSessions:
    """Open connections.

    Attributes:
        source: In a transaction that sees what the copy saw.
        place: To the loaded database, with the temporary tables.
        reading: To the loaded database as well, for rows that are read while tokens are written.
        hashing: On which both servers agree.
    """

    source: Connection
    place: Connection
    reading: Connection
    hashing: Hashing

    def ship(self, query: sql.Composable, table: str) -> None:
        """Copy a query's rows from the source into a temporary table."""
        out = sql.SQL("COPY ({}) TO STDOUT (FORMAT binary)").format(query).as_bytes(self.source)
        into = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier(table))
        writer = CopyWriter(self.place, into.as_bytes(self.place))
        pipe(CopyReader(self.source, out, WRITE_SIZE), writer, lambda _rows: None)
        writer.end()

    def row(self, query: sql.Composed) -> tuple[Any, ...]:
        """The one row of a query on the loaded database."""
        return one_row(self.place, query)


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
        stack.enter_context(told_without_rows("Proving the copy"))
        prepare_session(source, writing=False)
        path = source.execute("SHOW search_path").fetchone()
        for conn in (place, reading):
            prepare_session(conn, writing=True)
            set_all(conn, {**_MEMORY, "search_path": path[0] if path else ""})
        for conn in (source, place):
            if conn.info.server_version >= _JIT:
                set_all(conn, _PLAIN)
        source.execute(BEGIN)
        source.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(access.snapshot))
        yield ProofSessions(source, place, reading, agreed_hashing(source, place))
