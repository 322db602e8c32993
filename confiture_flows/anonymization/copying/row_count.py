"""Chunks as they are copied -> how many rows are there, and how fast they come."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confiture_flows.anonymization.copying.values import Chunk, ChunkResult


class RowCount:
    """Counts rows of a copy; several threads may tell it at once, as they tell an observer.

    Attributes:
        expected: Rows of all chunks together; an estimate.
    """

    def __init__(self, chunks: tuple[Chunk, ...] = ()) -> None:
        self.expected = sum(each.rows for each in chunks)
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._rows: dict[Chunk, int] = {}

    def moved(self, chunk: Chunk, rows: int) -> None:
        """Count rows that are on their way."""
        with self._lock:
            self._rows[chunk] = self._rows.get(chunk, 0) + rows

    def repeating(self, chunk: Chunk) -> None:
        """Take back what was counted of a chunk."""
        with self._lock:
            self._rows.pop(chunk, None)

    def copied(self, result: ChunkResult) -> None:
        """Count a chunk by what it was in the end."""
        with self._lock:
            self._rows[result.chunk] = result.rows

    @property
    def rows(self) -> int:
        """Rows that are on their way or there."""
        with self._lock:
            return sum(self._rows.values())

    def rows_of(self, table: str) -> int:
        """The same of one table."""
        with self._lock:
            return sum(n for chunk, n in self._rows.items() if str(chunk.table) == table)

    @property
    def per_second(self) -> float:
        """Rows a second since it began."""
        return self.rows / max(time.monotonic() - self._began, 0.1)

    def __str__(self) -> str:
        return f"{self.rows:,} of about {self.expected:,} rows, {self.per_second:,.0f}/s"
