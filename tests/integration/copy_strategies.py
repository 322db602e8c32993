"""Strategies that break their promises, for the copy to stop; each by its name."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from confiture_flows.plugins import StrategyBase, UnfitValue, register_strategy

MODULE = __name__


@register_strategy("test-raises")
def raises(value: str) -> str:
    raise RuntimeError(f"cannot mask {value}")


@register_strategy("test-same")
def same(value: str) -> str:
    return value


@register_strategy("test-same-sometimes")
def same_sometimes(value: str) -> str:
    return value if value.endswith("7@mail.com") else "x" + value[1:]


@register_strategy("test-long")
def long(value: str) -> str:
    return "y" * 500


@register_strategy("test-number")
def number(value: str) -> Any:
    return 7


@register_strategy("test-hangs")
def hangs(value: str) -> str:
    time.sleep(60)
    return value


@register_strategy("test-unfit")
def unfit(value: str) -> str:
    if value.startswith("1"):
        raise UnfitValue(value)
    return "fit"


@register_strategy("test-years")
def years(value: int, *, more: int = 1) -> int:
    return value + more


@register_strategy("test-kills")
class Kills(StrategyBase):
    """Kills its process until a file is there."""

    class Config(StrategyBase.Config):
        flag: Path

    def anonymize(self, value: str, *others: Any) -> str:
        if not self.config.flag.exists():
            self.config.flag.write_text("once")
            os.kill(os.getpid(), signal.SIGKILL)
        return "survived " + value[:1]


@register_strategy("test-count")
class Count(StrategyBase):
    """Gives a value too few."""

    def anonymize_batch(self, values: Any, *others: Any) -> list[str]:
        return ["z"] * (len(values) - 1)


@register_strategy("test-refuses")
class Refuses(StrategyBase):
    """Says of some values that it cannot take them."""

    def validate(self, value: str) -> bool:
        return not value.startswith("2")

    def anonymize(self, value: str, *others: Any) -> str:
        return "valid"


@register_strategy("test-other")
class Other(StrategyBase):
    """Made of another column."""

    def needs(self) -> tuple[str, ...]:
        return ("note",)

    def anonymize(self, value: str, *others: Any) -> str:
        return f"from {others[0]}"


@register_strategy("test-sql-same")
class SqlSame(StrategyBase):
    """SQL that does nothing."""

    def anonymize(self, value: str, *others: Any) -> str:
        return "a"

    def to_sql(self, column: str, *others: str) -> str:
        return column


@register_strategy("test-sql-breaks")
class SqlBreaks(StrategyBase):
    """SQL that fails, and whose error quotes the value."""

    def anonymize(self, value: str, *others: Any) -> str:
        return "a"

    def to_sql(self, column: str, *others: str) -> str:
        return f"({column}::text::date)::text"


@register_strategy("test-slow")
class Slow(StrategyBase):
    """Takes its time for a batch."""

    def anonymize_batch(self, values: Any, *others: Any) -> list[str]:
        time.sleep(0.2)
        return ["slow"] * len(values)
