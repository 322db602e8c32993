"""Planned tables + their ways -> chunks: large tables cut by ctid, those with keys by lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.anonymization.copying.values import Chunk

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_flows.anonymization.copying.source import Source
    from confiture_flows.anonymization.copying.values import CopyOptions, Way
    from confiture_flows.anonymization.plan import PlannedTable

KEYS_A_CHUNK = 200_000
_TID_RANGE_SCANS = 14


def chunks_of(
    table: PlannedTable, way: Way, source: Source, options: CopyOptions
) -> tuple[Chunk, ...]:
    """Cut one table.

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
    pages = source.pages.get((table.schema, table.name), 0)
    size = pages * _BLOCK
    number = -(-size // options.chunk_size) if source.major >= _TID_RANGE_SCANS else 1
    if number <= 1:
        return (Chunk(table, way),)
    cut = [pages * each // number for each in range(number)]
    ends: list[int | None] = [*cut[1:], None]
    return tuple(
        Chunk(table, way, each, number, pages=(cut[each], ends[each])) for each in range(number)
    )


def in_order(chunks: tuple[Chunk, ...]) -> tuple[Chunk, ...]:
    """The largest first: what ends last should be small."""
    return tuple(sorted(chunks, key=lambda each: -(each.table.size // each.of)))


_BLOCK = 8192


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b""))
