"""How a copy went: a value, and the same as a document and as JSON. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_flows.report.document import Block, Document, Facts, Paragraph, Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confiture_flows.anonymization.copying.values import ChunkResult, ColumnCount, Way
    from confiture_flows.anonymization.proof.report import LeakReport


@dataclass(frozen=True, slots=True)
class TableCopied:
    """How one table went.

    Attributes:
        name: With its schema.
        way: How it travelled.
        rows: How many were copied.
        size: Bytes that were written.
        seconds: Of all its chunks, added up.
        chunks: How many.
        repeated: How many of them an earlier try had copied already.
        columns: What was counted of its masked columns.
    """

    name: str
    way: Way
    rows: int
    size: int
    seconds: float
    chunks: int = 1
    repeated: int = 0
    columns: tuple[ColumnCount, ...] = ()

    @property
    def rate(self) -> float:
        """Rows a second of one worker."""
        return self.rows / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class IsolatedColumn:
    """A column whose strategy ran in a process of its own.

    Attributes:
        column: With its table.
        walls: What stood around the process; see docs/explanation/isolation.md.
    """

    column: str
    walls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CopyReport:
    """How a copy went.

    Attributes:
        source: Its name.
        target: Its name.
        place: What the copy is called now: the target's database or folder.
        tables: In the order of the plan.
        sequences: How many follow the source's.
        left_out: What was not copied, in words.
        seconds: From the snapshot to the new name.
        isolated: Columns of untrusted strategies.
        proof: What was proven before the copy took its name; None if nobody asked.
        in_place: Whether the target's own tables took the rows, from one worker.
    """

    source: str
    target: str
    place: str
    tables: tuple[TableCopied, ...]
    sequences: int = 0
    left_out: tuple[str, ...] = ()
    seconds: float = 0.0
    isolated: tuple[IsolatedColumn, ...] = ()
    proof: LeakReport | None = None
    in_place: bool = False

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(each.rows for each in self.tables)

    @property
    def size(self) -> int:
        """Bytes of all tables."""
        return sum(each.size for each in self.tables)

    def document(self) -> Document:
        """The report to be rendered."""
        rate = self.rows / self.seconds if self.seconds else 0.0
        blocks: list[Block] = [
            Paragraph(f"{self.source} was copied to {self.target}.", "good"),
            Facts(
                (
                    ("Loaded in place" if self.in_place else "Now called", self.place),
                    ("Rows", f"{self.rows:,}"),
                    ("Bytes", f"{self.size:,}"),
                    ("Seconds", f"{self.seconds:.1f}"),
                    ("Rows a second", f"{rate:,.0f}"),
                    ("Sequences", str(self.sequences)),
                )
            ),
            Table(
                ("Table", "Rows", "Bytes", "Seconds", "Rows a second", "Way", "Reason"),
                tuple(
                    (
                        each.name,
                        f"{each.rows:,}",
                        f"{each.size:,}",
                        f"{each.seconds:.1f}",
                        f"{each.rate:,.0f}",
                        f"{each.way.name}, {each.way.format}",
                        each.way.reason,
                    )
                    for each in self.tables
                ),
                "There is no table to copy.",
            ),
        ]
        if counted := tuple(_counted(self.tables)):
            blocks.append(Table(("Column", "Could not be anonymized", "Same by chance"), counted))
        if self.isolated:
            rows = tuple((each.column, ", ".join(each.walls)) for each in self.isolated)
            blocks.append(Table(("Isolated", "Walls that stood"), rows))
        if self.proof is not None:
            blocks += self.proof.blocks()
        if self.left_out:
            blocks.append(Table(("Not copied",), tuple((each,) for each in self.left_out)))
        return Document("Anonymized copy", tuple(blocks))

    def json(self) -> dict[str, Any]:
        """The report for machines."""
        return {
            "source": self.source,
            "target": self.target,
            "place": self.place,
            "in_place": self.in_place,
            "rows": self.rows,
            "bytes": self.size,
            "seconds": round(self.seconds, 3),
            "sequences": self.sequences,
            "left_out": list(self.left_out),
            "isolated": {each.column: list(each.walls) for each in self.isolated},
            "proof": self.proof.json() if self.proof else None,
            "tables": [
                {
                    "table": each.name,
                    "rows": each.rows,
                    "bytes": each.size,
                    "seconds": round(each.seconds, 3),
                    "chunks": each.chunks,
                    "repeated": each.repeated,
                    "way": each.way.name,
                    "format": each.way.format,
                    "reason": each.way.reason,
                    "columns": [
                        {"column": one.column, "unfit": one.unfit, "same_by_chance": one.chance}
                        for one in each.columns
                    ],
                }
                for each in self.tables
            ],
        }


def tables_of(results: Iterable[ChunkResult]) -> tuple[TableCopied, ...]:
    """Put the chunks of each table together, in the order in which tables come first."""
    by_table: dict[str, list[ChunkResult]] = {}
    for each in results:
        by_table.setdefault(str(each.chunk.table), []).append(each)
    return tuple(_table(name, found) for name, found in by_table.items())


def _table(name: str, found: list[ChunkResult]) -> TableCopied:
    from confiture_flows.anonymization.copying.values import ColumnCount

    counts: dict[str, tuple[int, int]] = {}
    for one in (column for each in found for column in each.columns):
        unfit, chance = counts.get(one.column, (0, 0))
        counts[one.column] = (unfit + one.unfit, chance + one.chance)
    return TableCopied(
        name,
        found[0].chunk.way,
        sum(each.rows for each in found),
        sum(each.size for each in found),
        sum(each.seconds for each in found),
        len(found),
        sum(each.repeated for each in found),
        tuple(ColumnCount(column, *both) for column, both in counts.items()),
    )


def _counted(tables: Iterable[TableCopied]) -> Iterable[tuple[str, str, str]]:
    for table in tables:
        for one in table.columns:
            if one.unfit or one.chance:
                yield (f"{table.name}.{one.column}", f"{one.unfit:,}", f"{one.chance:,}")
