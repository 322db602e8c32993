"""Strategies that pick from lists by the value's digest.

The number of a digest picks from the first list by its remainder, from the second by the
remainder of what is left, and so on. Python looks joined results up in as few tables as are small
enough; SQL picks from each list. Both give the same.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from confiture_flows.anonymization.keys import NUMBER_BYTES
from confiture_flows.anonymization.strategies._digest import DigestStrategy
from confiture_flows.anonymization.strategies._sql import entry, literal, once

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_LARGEST_TABLE = 200_000
# Longer lists make statements that are read and planned slowly.
_LONGEST_SQL_LIST = 2000


class PickingStrategy(DigestStrategy):
    """Picks one of each list in `parts`; the texts between them stay."""

    def pick_from(self, *parts: str | Sequence[str]) -> None:
        """Set what is picked from: lists, and texts that stay as they are."""
        self._parts = parts
        self._lists = tuple(each for each in parts if not isinstance(each, str))
        self._size = math.prod(map(len, self._lists))
        self._tables: list[tuple[str, ...]] = []
        table: Sequence[str] = ("",)
        for each in parts:
            choices = (each,) if isinstance(each, str) else each
            if len(table) * len(choices) > _LARGEST_TABLE:
                self._tables.append(tuple(table))
                table = ("",)
            table = [start + choice for choice in choices for start in table]
        self._tables.append(tuple(table))

    def of_digest(self, digest: bytes) -> str:
        """The texts that a digest picks."""
        number = int.from_bytes(digest[:NUMBER_BYTES], "big")
        made = ""
        for table in self._tables:
            number, index = divmod(number, len(table))
            made += table[index]
        return made

    def anonymize_batch(self, values: Sequence[str], *others: Sequence[Any]) -> list[str]:
        """The picks for many."""
        digits = 2 * NUMBER_BYTES
        numbers = [int(each[:digits], 16) for each in self.key.hex_digests(values)]
        if len(self._tables) == 1:
            table, size = self._tables[0], self._size
            return [table[each % size] for each in numbers]
        made = [""] * len(numbers)
        for table in self._tables:
            size = len(table)
            made = [start + table[each % size] for start, each in zip(made, numbers, strict=True)]
            numbers = [each // size for each in numbers]
        return made

    def to_sql(self, column: str, *others: str) -> str | None:
        """The picks, made by the source."""
        source = self.sql_source(column)
        if source is None or any(len(each) > _LONGEST_SQL_LIST for each in self._lists):
            return None
        made, before = [], 1
        for each in self._parts:
            if isinstance(each, str):
                made.append(literal(each))
            else:
                made.append(entry(each, f"mod(n / {before}, {len(each)})"))
                before *= len(each)
        return once(self.key.sql_number(source), "n", " || ".join(made))

    def capacity(self) -> int:
        """As many as the lists give."""
        return self._size
