"""The sessions of a proof: on the source as of the copy's snapshot, and on the loaded database.

Nothing is written on either side.
"""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg import sql

from confiture_flows.anonymization.copying.sessions import (
    prepare_session,
    set_all,
    told_without_rows,
)
from confiture_flows.anonymization.copying.source import look_as_of
from confiture_flows.anonymization.proof.hashing import Hashing, agreed_hashing
from confiture_flows.target import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from confiture_flows.anonymization.copying.values import CopyAccess
    from confiture_flows.target import Target

# Joins go to files of the server when they need more.
_MEMORY = "64MB"
# Without it every piece of a table would be a reading of the whole.
_BY_PAGES = {"enable_tidscan": "on"}
# Compiling these many short queries costs more than they do.
_PLAIN = {"jit": "off"}
_JIT = 110_000


@dataclass(frozen=True, slots=True)
class Sides:
    """What is compared. It pickles.

    Attributes:
        source: The database that was copied.
        snapshot: What the copy saw of it.
        place: The loaded database.
        search_path: Of the source's sessions.
    """

    source: Target
    snapshot: str
    place: Target
    search_path: str = ""


class SideSessions:
    """Connections that are opened when they are asked for, and closed together.

    Attributes:
        sides: What they lead to.
    """

    def __init__(self, sides: Sides) -> None:
        self.sides = sides
        self._stack = ExitStack()
        self._open: list[Connection] = []

    @cached_property
    def source(self) -> Connection:
        """In a transaction that sees what the copy saw."""
        conn = self._opened(self.sides.source, "proof source")
        look_as_of(conn, self.sides.snapshot, self.sides.source.name)
        return conn

    @cached_property
    def place(self) -> Connection:
        """To the loaded database."""
        return self._of_place("proof")

    @cached_property
    def asking(self) -> Connection:
        """To the loaded database as well, while rows come over the other."""
        return self._of_place("proof tokens")

    def close(self) -> None:
        """Close those that are open."""
        self._stack.close()

    def cancel(self) -> None:
        """Let queries of other threads fail."""
        for each in list(self._open):
            each.cancel_safe()

    def _of_place(self, purpose: str) -> Connection:
        conn = self._opened(self.sides.place, purpose)
        set_all(conn, {"work_mem": _MEMORY, "search_path": self.sides.search_path})
        return conn

    def _opened(self, target: Target, purpose: str) -> Connection:
        conn = self._stack.enter_context(connect(target, purpose))
        self._open.append(conn)
        prepare_session(conn, writing=False)
        set_all(conn, _BY_PAGES | (_PLAIN if conn.info.server_version >= _JIT else {}))
        return conn


@dataclass(frozen=True, slots=True)
class ProofSessions:
    """What the proof itself asks; rows are read by its jobs, on sessions of their own.

    Attributes:
        sides: What is compared.
        source: In a transaction that sees what the copy saw.
        place: To the loaded database.
        hashing: On which both servers agree.
    """

    sides: Sides
    source: Connection
    place: Connection
    hashing: Hashing

    def row(self, query: sql.Composed) -> tuple[Any, ...]:
        """The one row of a query on the loaded database."""
        return one_row(self.place, query)


def one_row(conn: Connection, query: sql.SQL | sql.Composed) -> tuple[Any, ...]:
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
    sessions = SideSessions(Sides(access.source, access.snapshot, access.place))
    with closing(sessions), told_without_rows("Proving the copy"):
        source = sessions.source
        (path,) = one_row(source, sql.SQL("SHOW search_path"))
        sessions.sides = replace(sessions.sides, search_path=path)
        hashing = agreed_hashing(source, sessions.place)
        yield ProofSessions(sessions.sides, source, sessions.place, hashing)
