"""Strategies whose result is made of the value's digest alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from confiture_flows.anonymization.strategy import StrategyBase

if TYPE_CHECKING:
    from collections.abc import Sequence

# The types of which a cast to text gives what COPY writes: char(n) would lose blanks.
_AS_WRITTEN = ("text", "varchar", "citext", "uuid")
_NAME_LENGTH = 63


class DigestStrategy(StrategyBase, ABC):
    """A keyed strategy: equal values get equal results, which tell nothing of them."""

    keyed = True

    @abstractmethod
    def of_digest(self, digest: bytes) -> str:
        """The result for a value's digest."""

    def anonymize(self, value: str, *others: Any) -> str:
        """The result for a value."""
        return self.of_digest(self.key.digest(value.encode()))

    def anonymize_batch(self, values: Sequence[str], *others: Sequence[Any]) -> list[str]:
        """The results for many."""
        digest, made = self.key.digest, self.of_digest
        return [made(digest(value.encode())) for value in values]

    def sql_source(self, column: str) -> str | None:
        """The SQL for the text that Python gets of a column; None where a cast gives another."""
        return f"{column}::text" if self.column.type in _AS_WRITTEN else None

    @property
    def room(self) -> int | None:
        """How many characters the column takes."""
        return _NAME_LENGTH if self.column.type == "name" else self.column.max_length
