"""Strategies as a team would write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from confiture_flows.plugins import (
    Column,
    Key,
    StrategyBase,
    StrategyRegistry,
    UnfitValue,
    register_strategy,
)

registry = StrategyRegistry()


@register_strategy("badge", registry=registry)
class Badge(StrategyBase):
    """B and digits of a keyed digest."""

    accepts = ("text",)
    unique = "probable"
    keyed = True

    class Config(StrategyBase.Config):
        digits: int = Field(default=8, ge=4)

    config: Config

    def anonymize(self, value: str, *others: Any) -> str:
        if not value.strip():
            raise UnfitValue("it is empty")
        key: Key = self.key
        return f"B{key.number(value.encode()) % 10**self.config.digits}"

    def anonymize_batch(self, values: Sequence[str], *others: Sequence[Any]) -> list[str]:
        return [self.anonymize(value) for value in values]


@register_strategy("shorten", registry=registry)
def shorten(value: str, *, length: int = 3) -> str:
    """The first characters."""
    return value[:length]


def accepted(column: Column) -> bool:
    return column.type in {"text", "varchar"}
