"""partial-mask: a few characters stay, signs stand for the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategies._sql import literal
from confiture_flows.anonymization.strategy import StrategyBase

if TYPE_CHECKING:
    from collections.abc import Sequence


@register_strategy("partial-mask")
class PartialMask(StrategyBase):
    """The first and last characters stay, signs stand for those between.

    A text that is so short that fewer than `hide` characters would be hidden is masked whole.
    """

    class Config(StrategyBase.Config):
        """Options of partial-mask."""

        first: int = Field(default=0, ge=0, description="How many characters stay at the start.")
        last: int = Field(default=4, ge=0, description="How many stay at the end.")
        hide: int = Field(default=4, ge=1, description="How many are hidden at least.")
        sign: str = Field(
            default="*", min_length=1, max_length=1, description="What stands for the hidden."
        )

    config: Config

    def anonymize(self, value: str, *others: Any) -> str:
        """The masked text."""
        return self.anonymize_batch((value,))[0]

    def anonymize_batch(self, values: Sequence[str], *others: Sequence[Any]) -> list[str]:
        """The masked texts."""
        first, last, sign = self.config.first, self.config.last, self.config.sign
        shown = first + last
        least = shown + self.config.hide
        return [
            value[:first] + sign * (length - shown) + (value[-last:] if last else "")
            if (length := len(value)) >= least
            else sign * (length or 1)
            for value in values
        ]

    def to_sql(self, column: str, *others: str) -> str | None:
        """The masked text, made by the source."""
        if self.column.type not in ("text", "varchar"):
            return None
        first, last, sign = self.config.first, self.config.last, literal(self.config.sign)
        shown = first + last
        signs = f"repeat({sign}, length({column}) - {shown})"
        return (
            f"CASE WHEN length({column}) >= {shown + self.config.hide} "
            f"THEN left({column}, {first}) || {signs} || right({column}, {last}) "
            f"WHEN {column} IS NOT NULL THEN repeat({sign}, greatest(length({column}), 1)) END"
        )
