"""A chunk -> its rows in the place of the copy, in one transaction with its line in the journal.

The connections stay open for the next chunk; after any error they are given up.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg import sql

from confiture_flows.anonymization.copying.binary_masking import BinaryBatchMask
from confiture_flows.anonymization.copying.codec import codec_for
from confiture_flows.anonymization.copying.directory import FileWriter, file_done_before
from confiture_flows.anonymization.copying.journal import claim, done_before, fill
from confiture_flows.anonymization.copying.keys_file import conditions_on_keys
from confiture_flows.anonymization.copying.masking import BatchMask, ColumnMask
from confiture_flows.anonymization.copying.pipe import WRITE_SIZE, CopyReader, CopyWriter, pipe
from confiture_flows.anonymization.copying.sample import refuse_unchanged
from confiture_flows.anonymization.copying.sessions import (
    prepare_session,
    set_all,
    told_without_rows,
)
from confiture_flows.anonymization.copying.source import look_as_of, types_of
from confiture_flows.anonymization.copying.strategies import import_modules, strategies_of
from confiture_flows.anonymization.copying.values import ChunkResult, ColumnCount
from confiture_flows.anonymization.copying.way import columns_of, copy_in, copy_out
from confiture_flows.errors import CopyError, CopyInterruptedError
from confiture_flows.target import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from confiture_flows.anonymization.copying.pipe import Writer
    from confiture_flows.anonymization.copying.source import ColumnType
    from confiture_flows.anonymization.copying.values import Chunk, CopyAccess
    from confiture_flows.anonymization.copying.way import Columns
    from confiture_flows.anonymization.strategy import StrategyBase


# Of smaller tables a file more costs as much as it saves.
_WORTH_FREEZING = 1 << 20


class TransferProgress:
    """What a transfer tells on its way; does nothing unless overridden."""

    def calling(self, column: str, count: int) -> None:
        """A strategy is about to be called for so many values of a column."""

    def moved(self, rows: int) -> None:
        """So many rows more were written; no strategy is being called."""

    def writing(self, statement: bytes) -> None:
        """The rows of a copy in place come next, for the COPY that is to take them."""

    def rows(self, data: bytes) -> None:
        """Rows of a copy in place."""


class _Relay:
    """Gives rows to the process that holds the target's transaction."""

    def __init__(self, progress: TransferProgress, statement: bytes) -> None:
        self._progress = progress
        self.size = 0
        progress.writing(statement)

    def write(self, data: bytes) -> None:
        self.size += len(data)
        self._progress.rows(data)


@dataclass
class _Table:
    """What stays the same from chunk to chunk."""

    strategies: dict[str, StrategyBase]
    columns: Columns
    types: dict[str, ColumnType]


@dataclass
class Transfer:
    """Copies chunks of one copy, one after another.

    Attributes:
        access: Of the copy.
        progress: Hears of it.
    """

    access: CopyAccess
    progress: TransferProgress
    _stack: ExitStack = field(default_factory=ExitStack)
    _source: Connection | None = None
    _place: Connection | None = None
    _tables: dict[str, _Table] = field(default_factory=dict)

    def copy(self, chunk: Chunk) -> ChunkResult:
        """Copy a chunk, unless an earlier try has done so.

        Raises:
            CopyInterruptedError: A connection broke; the same again may succeed.
            StrategyError: A strategy failed, or did what it says it never does.
            CopyError: A statement failed, or the snapshot is gone.
        """
        try:
            with told_without_rows(f"Copying {chunk}"):
                return self._copied(chunk)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give up the connections."""
        self._stack.close()
        self._source = self._place = None

    def _copied(self, chunk: Chunk) -> ChunkResult:
        source, place = self._open()
        if self.access.options.in_place:
            done = None
        elif isinstance(self.access.place, Path):
            done = file_done_before(self.access.place, chunk)
        else:
            assert place is not None  # noqa: S101 - opened for a database
            done = done_before(place, chunk)
        if done is not None:
            return done
        look_as_of(source, self.access.snapshot, self.access.source.name)
        table = self._table(source, chunk)
        if place is not None:
            place.execute("BEGIN")
            if not claim(place, chunk):
                place.execute("ROLLBACK")
                done = done_before(place, chunk)
                if done is None:
                    raise CopyInterruptedError(f"Copying {chunk} was interrupted.")
                return done
        result = self._move(source, place, chunk, table)
        source.execute("COMMIT")
        if place is not None:
            fill(place, result)
            place.execute("COMMIT")
        return result

    def _open(self) -> tuple[Connection, Connection | None]:
        if self._source is None:
            import_modules(self.access.options.modules)
            self._source = self._stack.enter_context(connect(self.access.source, "copy from"))
            prepare_session(self._source, writing=False)
            if not (self.access.options.in_place or isinstance(self.access.place, Path)):
                self._place = self._stack.enter_context(connect(self.access.place, "copy to"))
                prepare_session(self._place, writing=True)
                # Functions in constraints find what they find in the source, and so do the texts
                # of regclass and its like.
                row = self._source.execute("SHOW search_path").fetchone()
                set_all(self._place, {"search_path": row[0] if row else ""})
        return self._source, self._place

    def _table(self, source: Connection, chunk: Chunk) -> _Table:
        table = chunk.table
        known = self._tables.get(str(table))
        if known is None:
            strategies = strategies_of(table, self.access.secret)
            columns = columns_of(table, chunk.way, strategies)
            known = _Table(strategies, columns, types_of(source, table))
            self._tables[str(table)] = known
        for name in chunk.way.in_sql:
            if known.strategies[name].keyed:
                set_all(source, known.strategies[name].key.settings)
        return known

    def _move(
        self, source: Connection, place: Connection | None, chunk: Chunk, table: _Table
    ) -> ChunkResult:
        started = time.monotonic()
        refuse_unchanged(source, chunk, table.strategies, table.types)
        masks = self._masks(source, chunk, table)
        rows = 0
        if self.access.options.in_place:
            relay = _Relay(self.progress, copy_in(chunk, table.columns))
            for statement in _statements(chunk, table):
                rows += self._pour(source, statement, relay, masks, table.columns)
            return _result(chunk, rows, relay.size, started, masks)
        if place is not None:
            frozen = _empty(place, chunk)
            writer = CopyWriter(place, copy_in(chunk, table.columns, frozen=frozen))
            for statement in _statements(chunk, table):
                rows += self._pour(source, statement, writer, masks, table.columns)
            written = writer.end()
            if written != rows:
                raise CopyError(f"Of {rows:,} rows of {chunk.table}, {written:,} arrived.")
            return _result(chunk, rows, writer.size, started, masks)
        assert isinstance(self.access.place, Path)  # noqa: S101 - it is one or the other
        with closing(FileWriter(self.access.place, chunk)) as file:
            for statement in _statements(chunk, table):
                rows += self._pour(source, statement, file, masks, table.columns)
            result = _result(chunk, rows, file.size, started, masks)
            file.end(result, table.columns.written)
        return result

    def _pour(
        self,
        source: Connection,
        statement: bytes,
        writer: Writer,
        masks: list[ColumnMask],
        columns: Columns,
    ) -> int:
        """Read one statement's rows into a writer.

        Returns:
            How many.
        """
        moved = self.progress.moved
        if not masks:
            reader = CopyReader(source, statement, WRITE_SIZE)
            pipe(reader, writer, moved)
            return reader.rows
        extras, calling = len(columns.extras), self.progress.calling
        mask = (
            BinaryBatchMask(masks, others=len(columns.heads), extras=extras, calling=calling)
            if columns.masked_first
            else BatchMask(masks, heads=bool(columns.heads), extras=extras, calling=calling).lines
        )
        reader = CopyReader(source, statement, self.access.options.batch_size)
        for batch in reader:
            writer.write(mask(batch))
            moved(len(batch))
        return reader.rows

    def _masks(self, source: Connection, chunk: Chunk, table: _Table) -> list[ColumnMask]:
        rules = {each.column.name: each.rule for each in chunk.table.masked}
        made: list[ColumnMask] = []
        for name in table.columns.masked:
            strategy, rule = table.strategies[name], rules[name]
            needs = tuple(table.columns.extras.index(each) for each in strategy.needs())
            column = strategy.column
            codec = (
                codec_for(column.oid, column.type, source) if strategy.takes == "python" else None
            )
            made.append(ColumnMask(strategy, rule.on_unfit if rule else "stop", needs, codec))
        return made


def _empty(place: Connection, chunk: Chunk) -> bool:
    """Empty a new database's table that one chunk fills, if that is worth a file of its own.

    Rows that come into a table of the same transaction can be frozen: nobody else sees it, so
    that no later reader has to ask who wrote them, and no vacuum has to write them once more. A
    server with `wal_level = minimal` does not log them either.
    """
    if chunk.of > 1 or chunk.table.size < _WORTH_FREEZING:
        return False
    name = sql.Identifier(chunk.table.schema, chunk.table.name)
    place.execute(sql.SQL("TRUNCATE ONLY {}").format(name))
    return True


def _statements(chunk: Chunk, table: _Table) -> Iterator[bytes]:
    conditions = [None] if chunk.keys is None else conditions_on_keys(chunk, table.types)
    for condition in conditions:
        yield copy_out(chunk, table.columns, table.strategies, table.types, condition)


def _result(
    chunk: Chunk, rows: int, size: int, started: float, masks: list[ColumnMask]
) -> ChunkResult:
    counts = tuple(
        ColumnCount(each.strategy.column.name, each.unfit, each.chance) for each in masks
    )
    return ChunkResult(chunk, rows, size, time.monotonic() - started, counts)
