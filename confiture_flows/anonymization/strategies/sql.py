"""sql: an SQL expression of one's own, computed by the source."""

from __future__ import annotations

from pydantic import Field

from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategy import ANY_TYPE, StrategyBase


@register_strategy("sql")
class Sql(StrategyBase):
    """What an SQL expression gives, such as left({column}, 3) || '***'.

    It runs on the source, in the copy's read-only transaction, with `engine = "sql"` or "auto";
    Python cannot compute it. Its result is written as it is: whether it hides anything, and what
    it makes of NULL, is up to it.
    """

    accepts = (ANY_TYPE,)
    # Nobody compares what the source computes with what it was.
    keeps = True

    class Config(StrategyBase.Config):
        """Options of sql."""

        expression: str = Field(
            min_length=1, description="An SQL expression; {column} stands for the column."
        )

    config: Config

    def to_sql(self, column: str, *others: str) -> str:
        """The expression."""
        # A line of its own ends a comment at its end.
        return f"({self.config.expression.replace('{column}', column)}\n)"
