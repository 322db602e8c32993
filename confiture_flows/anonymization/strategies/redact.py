"""redact: a mark instead of a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategies._sql import literal
from confiture_flows.anonymization.strategy import StrategyBase

if TYPE_CHECKING:
    from collections.abc import Sequence


@register_strategy("redact")
class Redact(StrategyBase):
    """A mark such as [REDACTED] instead of a text, cut to the column.

    Unlike `constant` it always fits, and it leaves nothing to tell texts apart by: not even
    whether they were empty.
    """

    class Config(StrategyBase.Config):
        """Options of redact."""

        mark: str = Field(default="[REDACTED]", min_length=1, description="What stands instead.")

    config: Config

    def prepare(self) -> None:
        """Cut the mark to the column."""
        self._mark = self.config.mark[: self.column.max_length]

    def anonymize(self, value: str, *others: Any) -> str:
        """The mark."""
        return self._mark

    def anonymize_batch(self, values: Sequence[str], *others: Sequence[Any]) -> list[str]:
        """The mark, often."""
        return [self._mark] * len(values)

    def to_sql(self, column: str, *others: str) -> str:
        """The mark where there is a text."""
        return f"CASE WHEN {column} IS NOT NULL THEN {literal(self._mark)} END"

    def capacity(self) -> int:
        """One."""
        return 1
