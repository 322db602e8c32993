"""keep: the value stays as it is. Says of a column that somebody has looked at it."""

from __future__ import annotations

from typing import Any

from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategy import ANY_TYPE, StrategyBase


@register_strategy("keep")
class Keep(StrategyBase):
    """The value stays as it is: a decision, where no rule is an omission."""

    accepts = (ANY_TYPE,)
    unique = "bijective"
    keeps = True

    def anonymize(self, value: Any, *others: Any) -> Any:
        """The value."""
        return value

    def to_sql(self, column: str, *others: str) -> str:
        """The column."""
        return column
