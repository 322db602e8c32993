"""What a copy is asked to do, and the pieces it is done in. Pure values; they pickle."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_flows.anonymization.keys import Secret
    from confiture_flows.anonymization.plan import PlannedTable
    from confiture_flows.target import Target

Engine = Literal["auto", "sql", "python"]
Format = Literal["binary", "text"]
WayName = Literal["pipe", "sql", "python"]

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class CopyOptions:
    """How a copy is done.

    Attributes:
        engine: Where values are masked: the source's SQL, our Python, or whichever is cheaper.
        workers: How many chunks are copied at once, each by a process of its own.
        chunk_size: Bytes on disk that one chunk has at most; smaller tables are one chunk, unless
            they are masked and more than one worker's share.
        batch_size: Bytes of rows that are masked at once.
        strategy_timeout: Seconds that a strategy may take for one batch of one column.
        replace: Whether a target may be replaced that no earlier copy has made.
        end_sessions: Whether sessions on the target are ended when its name is taken.
        owners: Whether owners and rights are copied; their roles have to be there.
        modules: Modules that register strategies; workers import them.
        format: Of the files of a directory.
        in_place: Whether the rows go into the target's own, empty tables; by one worker, as all
            of it is one transaction.
    """

    engine: Engine = "auto"
    workers: int = 2
    chunk_size: int = 256 * MIB
    # More rows than fit the caches of a processor cost half as much again.
    batch_size: int = MIB // 8
    strategy_timeout: float = 60.0
    replace: bool = False
    end_sessions: bool = False
    owners: bool = False
    modules: tuple[str, ...] = ()
    format: Format = "text"
    in_place: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """How a table travels.

    Attributes:
        name: As bytes that nobody looks at, through the source's SQL, or through Python.
        format: Of COPY.
        reason: Why, in words.
        in_python: Columns that Python masks.
        in_sql: Columns that the source masks.
    """

    name: WayName
    format: Format
    reason: str
    in_python: tuple[str, ...] = ()
    in_sql: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a table that is copied in one transaction.

    Attributes:
        table: Of which.
        way: How it travels.
        number: From 0.
        of: How many chunks the table has.
        pages: The first page and the one after the last, where it is cut by ctid; the last
            chunk has no end.
        keys: The first line and the one after the last of the table's file of keys.
    """

    table: PlannedTable
    way: Way
    number: int = 0
    of: int = 1
    pages: tuple[int, int | None] | None = None
    keys: tuple[int, int] | None = None

    def __str__(self) -> str:
        part = f" ({self.number + 1} of {self.of})" if self.of > 1 else ""
        return f"{self.table}{part}"

    @property
    def rows(self) -> int:
        """About how many rows it has."""
        return self.table.rows // self.of


@dataclass(frozen=True, slots=True)
class ColumnCount:
    """What was counted of a masked column.

    Attributes:
        column: Its name.
        unfit: Values that its strategy could not anonymize, and `on_unfit` replaced.
        chance: Results that by chance are what was there before.
    """

    column: str
    unfit: int = 0
    chance: int = 0


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """A chunk that is in the new database for good.

    Attributes:
        chunk: Which.
        rows: How many.
        size: Bytes that were written.
        seconds: How long it took.
        columns: What was counted of its masked columns.
        repeated: Whether an earlier try had copied it already.
    """

    chunk: Chunk
    rows: int
    size: int
    seconds: float
    columns: tuple[ColumnCount, ...] = ()
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class CopyAccess:
    """What copies a chunk: may be given to a thread or a process, never to a log.

    Attributes:
        number: Of the copy, a random one; its new database and its workers are known by it.
        source: The database that is read.
        place: The database that rows are written to, or the folder.
        snapshot: The exported snapshot's name.
        secret: What keys are made from.
        options: As of the copy.
    """

    number: int
    source: Target
    place: Target | Path
    snapshot: str
    secret: Secret | None = field(repr=False)
    options: CopyOptions
