"""Strategies that do what they should."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import random
import re
import unicodedata
from typing import Any

from confiture_flows.plugins import StrategyBase, register_strategy

from .tables import NAMES


@register_strategy("vendor-name")
class Name(StrategyBase):
    """A first name and a number, the same for equal values."""

    keyed = True
    unique = "probable"

    class Config(StrategyBase.Config):
        digits: int = 6
        upper: bool = False

    def prepare(self) -> None:
        if self.config.digits > 12:
            raise ValueError("at most 12 digits")

    def anonymize(self, value: str, *others: Any) -> str:
        number = self.key.number(value.encode())
        text = f"{NAMES[number % 4]}{number % 10**self.config.digits}"
        return text.upper() if self.config.upper else text

    def capacity(self) -> int:
        return 4 * 10**self.config.digits


class With(StrategyBase):
    """Needs another column, and may give NULL."""

    def needs(self) -> tuple[str, ...]:
        return ("country",)

    def anonymize(self, value: str, *others: Any) -> str | None:
        return None if others[0] is None else f"{others[0]}-{len(value)}"


def busy(value: str, *, column: Any, unit: str = "-") -> str:
    """Uses what a strategy may: the standard library as far as it was loaded."""
    day = datetime.datetime.strptime("2001-02-03", "%Y-%m-%d")
    plain = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode()
    digest = hashlib.blake2b(plain.encode(), digest_size=4).hexdigest()
    chosen = random.Random(digest).choice("abc")
    made = dataclasses.make_dataclass("Made", ["a"])(re.sub(r"\W", "", digest))
    return f"{column.name}{unit}{made.a}{chosen}{day.year}{'x'.encode('idna').decode()}"
