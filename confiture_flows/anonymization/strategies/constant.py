"""constant: the same value in every row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategies._sql import literal
from confiture_flows.anonymization.strategy import ANY_TYPE, TYPE_GROUPS, StrategyBase

if TYPE_CHECKING:
    from collections.abc import Sequence

# Types whose names in pg_type name them in a cast too, without a schema.
_CASTS = {
    *(each for group in TYPE_GROUPS.values() for each in group if each not in ("citext", "money")),
    *("bool", "time", "timetz", "uuid", "interval", "bytea"),
}


@register_strategy("constant")
class Constant(StrategyBase):
    """The same value in every row that has one."""

    accepts = (ANY_TYPE,)

    class Config(StrategyBase.Config):
        """Options of constant."""

        value: str | int | float | bool = Field(
            description="The value, as PostgreSQL reads it for the column's type."
        )

    config: Config

    def prepare(self) -> None:
        """Write the value as text; refuse one that is too long."""
        value = self.config.value
        self._text = str(value).lower() if isinstance(value, bool) else str(value)
        if self.column.max_length is not None and len(self._text) > self.column.max_length:
            raise ValueError(f"the value is longer than {self.column.max_length} characters")
        if self.column.labels and self._text not in self.column.labels:
            raise ValueError(f"the value is none of {', '.join(self.column.labels)}")

    def anonymize(self, value: str, *others: Any) -> str:
        """The constant."""
        return self._text

    def anonymize_batch(self, values: Sequence[str], *others: Sequence[Any]) -> list[str]:
        """The constant, often."""
        return [self._text] * len(values)

    def to_sql(self, column: str, *others: str) -> str | None:
        """The constant where there is a value."""
        if self.column.type not in _CASTS:
            return None
        return f"CASE WHEN {column} IS NOT NULL THEN {literal(self._text)}::{self.column.type} END"

    def capacity(self) -> int:
        """One."""
        return 1
