"""sql: an expression of one's own, which the source computes; no Python at all."""

from __future__ import annotations

from pydantic import Field

from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategy import ANY_TYPE, StrategyBase


@register_strategy("sql")
class Sql(StrategyBase):
    """An SQL expression; {column} in it stands for the column.

    It runs on the source, within the copy's own SELECT. Other columns of the row may stand in it
    by their names.
    """

    accepts = (ANY_TYPE,)

    class Config(StrategyBase.Config):
        """Options of sql."""

        expression: str = Field(
            min_length=1, description="Such as \"left({column}, 1) || '.'\"; of the column's type."
        )

    config: Config

    def prepare(self) -> None:
        """Refuse what would not be one expression."""
        text = self.config.expression
        if ";" in text or "--" in text:
            raise ValueError("the expression holds ; or --, and has to be one expression")

    def to_sql(self, column: str, *others: str) -> str:
        """The expression, in parentheses."""
        return f"({self.config.expression.replace('{column}', column)})"
