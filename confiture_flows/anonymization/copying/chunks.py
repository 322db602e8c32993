"""Planned tables + their ways -> chunks: large tables cut by ctid, those with keys by lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.anonymization.copying.values import MIB, Chunk

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from confiture_flows.anonymization.copying.source import Source
    from confiture_flows.anonymization.copying.values import CopyOptions, Way
    from confiture_flows.anonymization.plan import PlannedTable

KEYS_A_CHUNK = 200_000
# A second of masking; below it, what a worker more begins and ends takes what it saves.
_LEAST_SHARE = 16 * MIB
_BLOCK = 8192
_TID_RANGE_SCANS = 14


def chunks_of(
    tables: Iterable[tuple[PlannedTable, Way]], source: Source, options: CopyOptions
) -> tuple[Chunk, ...]:
    """Cut all tables, the largest chunk first: what ends last should be small.

    A masked table is work for a processor: it is cut so that no worker waits while another has
    more than its share of all rows.
    """
    tables = tuple(tables)
    total = sum(_size(table, source) for table, _ in tables)
    share = max(-(-total // max(options.workers, 1)), _LEAST_SHARE)
    found = [
        chunk
        for table, way in tables
        for chunk in _cut(
            table,
            way,
            source,
            options.chunk_size if way.name == "pipe" else min(options.chunk_size, share),
        )
    ]
    return tuple(sorted(found, key=lambda each: -(each.table.size // each.of)))


def _cut(table: PlannedTable, way: Way, source: Source, most: int) -> tuple[Chunk, ...]:
    """Cut one table into chunks of so many bytes at most.

    A server before PostgreSQL 14 reads the whole table for every range of ctid: there, and where
    the table is no heap, it stays whole.
    """
    if table.keys is not None:
        lines = _lines(table.keys)
        cuts = [
            (start, min(start + KEYS_A_CHUNK, lines)) for start in range(0, lines, KEYS_A_CHUNK)
        ]
        return tuple(
            Chunk(table, way, number, len(cuts), keys=cut) for number, cut in enumerate(cuts)
        )
    size = _size(table, source)
    pages = size // _BLOCK
    number = -(-size // most) if source.major >= _TID_RANGE_SCANS else 1
    if number <= 1:
        return (Chunk(table, way),)
    cut = [pages * each // number for each in range(number)]
    ends: list[int | None] = [*cut[1:], None]
    return tuple(
        Chunk(table, way, each, number, pages=(cut[each], ends[each])) for each in range(number)
    )


def _size(table: PlannedTable, source: Source) -> int:
    """Bytes of its heap; 0 where it is none."""
    return source.pages.get((table.schema, table.name), 0) * _BLOCK


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b""))
