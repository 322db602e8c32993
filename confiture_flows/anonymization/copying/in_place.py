"""A target whose own empty tables take the rows: one transaction of one session, or nothing.

What is in the way of rows is put aside, the rows are written, it is put back, and only then is
anything committed. Whoever fails or is killed before that takes the session with him, and the
server undoes all of it. The session belongs to the process that has opened the copy: workers, which
may be ended at any time, send it their rows.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from confiture_flows.anonymization.copying.pipe import CopyWriter
from confiture_flows.anonymization.copying.refusals import refuse_production, refuse_source
from confiture_flows.anonymization.copying.sequences_there import move_sequences
from confiture_flows.anonymization.copying.sessions import (
    copy_error,
    prepare_session,
    set_all,
)
from confiture_flows.anonymization.copying.tables_there import (
    mistakes_of,
    read_schema_there,
    tables_to_analyze,
)
from confiture_flows.anonymization.copying.way import Receiver
from confiture_flows.errors import CopyError
from confiture_flows.target import connect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager

    from psycopg import Connection

    from confiture_flows.anonymization.copying.schema import Sequence
    from confiture_flows.anonymization.copying.source import Source
    from confiture_flows.anonymization.copying.tables_there import LoadedSchema
    from confiture_flows.anonymization.copying.values import Chunk, ChunkResult, CopyAccess
    from confiture_flows.anonymization.plan import CopyPlan, PlannedTable
    from confiture_flows.target import Target


class ChunkRows:
    """The rows of one chunk on their way into the target's transaction."""

    def __init__(self, conn: Connection, chunk: Chunk) -> None:
        self._conn, self._chunk = conn, chunk
        self._writer: CopyWriter | None = None

    def begin(self, statement: bytes) -> None:
        """Begin the COPY that takes them."""
        self._writer = CopyWriter(self._conn, statement)

    def write(self, data: bytes) -> None:
        """Write rows."""
        assert self._writer is not None  # noqa: S101 - a worker begins before it writes
        self._writer.write(data)

    def end(self, result: ChunkResult) -> None:
        """End the COPY.

        Raises:
            CopyError: Rows are missing.
        """
        assert self._writer is not None  # noqa: S101 - a worker begins before it ends
        writer, self._writer = self._writer, None
        written = writer.end()
        if written != result.rows:
            raise CopyError(f"Of {result.rows:,} rows of {self._chunk}, {written:,} arrived.")

    def abandon(self) -> None:
        """Let the server forget them."""
        if self._writer is not None:
            self._writer.abandon()


@dataclass
class InPlace:
    """The tables that are there, as the place of a copy."""

    where: Target
    receiver: Receiver
    conn: Connection
    schema: LoadedSchema
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def chunk(self, chunk: Chunk) -> Iterator[ChunkRows]:
        """Take a chunk's rows; after a failure they are forgotten, and it can be tried again."""
        with self._lock, _told_in_place(f"Copying {chunk}"):
            self.conn.execute("SAVEPOINT confiture_chunk")
            rows = ChunkRows(self.conn, chunk)
            try:
                yield rows
            except BaseException:
                # Of a session that is gone, the first error is what there is to tell.
                with suppress(psycopg.Error):
                    rows.abandon()
                    self.conn.execute("ROLLBACK TO SAVEPOINT confiture_chunk")
                raise
            self.conn.execute("RELEASE SAVEPOINT confiture_chunk")

    def complete(self) -> None:
        """Put back what was put aside.

        Raises:
            CopyError: The rows break a key, or something is not as it was.
        """
        with _told_in_place("Checking deferred constraints"):
            # Their events would be in the way of ALTER TABLE.
            self.conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for what, statement in self.schema.after:
            with _told_in_place(what):
                self.conn.execute(statement)
        with _told_in_place("Reading statistics"):
            if self.schema.oids:
                tables = tables_to_analyze(self.conn, self.schema)
                self.conn.execute(sql.SQL("ANALYZE {}").format(tables))
            changed = self.schema.changed(self.conn)
        if changed:
            raise CopyError(
                f"Not all of {self.where.name} came back as it was: {', '.join(changed[:5])}; the "
                "copy is undone.",
                next_step="Copy without in-place loading: it makes a new database.",
            )

    def set_sequences(self, sequences: tuple[Sequence, ...]) -> None:
        """Let the target's sequences follow."""
        with _told_in_place("Setting sequences"):
            move_sequences(self.conn, sequences, self.schema.family)

    def publish(self, source: str, results: Iterable[ChunkResult]) -> str:
        """Commit."""
        with _told_in_place("Committing the copy"):
            self.conn.execute("COMMIT")
        return self.conn.info.dbname

    def keep_aside(self) -> None:
        """There is nothing aside that could be kept: all of it is undone."""


_open: dict[int, InPlace] = {}


def rows_of(access: CopyAccess, chunk: Chunk) -> AbstractContextManager[ChunkRows | None]:
    """Where the rows of a chunk go that its worker cannot write itself; None if it can.

    Raises:
        CopyError: The copy is over.
    """
    if not access.options.in_place:
        return nullcontext()
    if access.number not in _open:
        raise CopyError("The copy in place is over, or was opened by another process.")
    return _open[access.number].chunk(chunk)


@contextmanager
def tables_in_place(
    source: Source, target: Target, plan: CopyPlan, number: int
) -> Iterator[InPlace]:
    """Lock a target's tables and put aside what is in the way; undone unless it was published.

    Raises:
        CopyError: The target is production's or the source, or its tables cannot take the rows;
            all that is wrong with them is told.
        TargetError: The server refuses us.
    """
    refuse_production(target)
    tables = tuple(each for each in plan.tables if each.copied)
    with connect(target, "copy to") as conn:
        refuse_source(source, conn, conn.info.dbname, target)
        with _told_in_place(f"Preparing {target.name}"):
            prepare_session(conn, writing=False)
            conn.execute("BEGIN READ WRITE")  # whatever the target's default is
            _refuse_mistakes(source.conn, conn, target, tables)
            _lock(conn, tables)
            # Again: until the lock, anybody may have written or altered them.
            _refuse_mistakes(source.conn, conn, target, tables)
            set_all(conn, {"default_tablespace": ""})
            schema = read_schema_there(conn, tables)
            for statement in schema.before:
                conn.execute(statement)
        place = InPlace(target, Receiver(conn.info.server_version // 10_000), conn, schema)
        _open[number] = place
        try:
            yield place
        finally:
            del _open[number]


def check_in_place(source: Connection, target: Target, plan: CopyPlan) -> None:
    """Look whether a target's tables could take the rows now; nothing is locked for longer.

    Raises:
        CopyError: They could not.
        TargetError: The server refuses us.
    """
    tables = tuple(each for each in plan.tables if each.copied)
    with connect(target, "anonymize") as conn, _told_in_place(f"Reading {target.name}"):
        prepare_session(conn, writing=False)
        _refuse_mistakes(source, conn, target, tables)


def _refuse_mistakes(
    source: Connection, conn: Connection, target: Target, tables: tuple[PlannedTable, ...]
) -> None:
    # Functions in constraints, types and texts of regclass mean what they mean in the source.
    row = source.execute("SHOW search_path").fetchone()
    set_all(conn, {"search_path": row[0] if row else ""})
    if found := mistakes_of(source, conn, tables):
        told = "".join(f"\n- {each}" for each in found)
        raise CopyError(
            f"The tables of {target.name} cannot take the rows; nothing was copied.{told}",
            next_step="Only empty tables that are like the source's are loaded in place: migrate "
            f"{target.name} to the source's version and TRUNCATE, or copy without --in-place.",
        )


def _lock(conn: Connection, tables: tuple[PlannedTable, ...]) -> None:
    names = sorted((each.schema, each.name) for each in tables)
    for start in range(0, len(names), 200):
        some = sql.SQL(", ").join(sql.Identifier(*each) for each in names[start : start + 200])
        conn.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(some))


@contextmanager
def _told_in_place(what: str) -> Iterator[None]:
    """As told_without_rows, of a session that nothing repeats: what it did is undone."""
    try:
        yield
    except psycopg.Error as error:
        made = copy_error(what, error)
        if error.sqlstate == "55P03":
            raise CopyError(
                f"{what} waits for a lock that somebody else holds.",
                sqlstate=error.sqlstate,
                next_step="End the sessions that use these tables, and start again.",
            ) from None
        if made.retryable:
            raise CopyError(
                f"{made.message} All of it is undone.",
                sqlstate=error.sqlstate,
                next_step="Start the copy again.",
            ) from None
        raise made from None
