"""null: no value at all."""

from __future__ import annotations

from typing import Any

from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategy import ANY_TYPE, StrategyBase


@register_strategy("null")
class Null(StrategyBase):
    """NULL in every row."""

    accepts = (ANY_TYPE,)

    def prepare(self) -> None:
        """Refuse a column that may not be NULL."""
        if not self.column.nullable:
            raise ValueError("the column is NOT NULL")

    def anonymize(self, value: Any, *others: Any) -> Any:
        """None."""
        return None

    def to_sql(self, column: str, *others: str) -> str:
        """NULL."""
        return "NULL"

    def capacity(self) -> int:
        """NULL is no value."""
        return 0
