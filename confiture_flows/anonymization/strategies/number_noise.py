"""number-noise: a number that is a little off, by a bounded and keyed amount."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from confiture_flows.anonymization.keys import NUMBER_BYTES, NUMBER_RANGE
from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategies._sql import once
from confiture_flows.anonymization.strategy import StrategyBase, UnfitValue

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

_BITS = {"int2": 16, "int4": 32, "int8": 64}
_PER = 1_000_000


@register_strategy("number-noise")
class NumberNoise(StrategyBase):
    """A number that differs from the value by a keyed amount within bounds, never by 0.

    Equal values get equal noise, so that joins and repeated runs give the same, and so that
    averaging copies reveals nothing. It hides the exact number, not its magnitude: an income of
    10 million stays the highest one. Decimals keep their number of digits after the point. Near
    the end of an integer's type, or of `at_least` and `at_most`, the noise points the other way;
    set these for a numeric(5, 2) that is nearly full.
    """

    accepts = ("integer", "numeric", "float4", "float8")
    keyed = True

    class Config(StrategyBase.Config):
        """Options of number-noise."""

        share: float | None = Field(
            default=None, gt=0, le=1, description="The bound as a share of the value: 0.1 is 10 %."
        )
        amount: Decimal | None = Field(
            default=None, gt=0, description="The bound as a number, instead of a share."
        )
        at_least: Decimal | None = Field(default=None, description="No result is lower.")
        at_most: Decimal | None = Field(default=None, description="No result is higher.")

        @model_validator(mode="after")
        def one_bound(self) -> Self:
            """Refuse both kinds of bound, and none."""
            if (self.share is None) == (self.amount is None):
                raise ValueError("give either share or amount")
            return self

    config: Config

    def prepare(self) -> None:
        """Put the bounds into numbers."""
        config, type_name = self.config, self.column.type
        self._float = type_name.startswith("float")
        self._share = round(config.share * _PER) if config.share else None
        low, high = config.at_least, config.at_most
        if type_name in _BITS:
            if config.amount is not None and config.amount % 1:
                raise ValueError("amount has to be a whole number for an integer")
            end = 1 << (_BITS[type_name] - 1)
            if config.amount is not None and config.amount > end // 2:
                raise ValueError(f"amount is too large for {type_name}")
            low = Decimal(-end) if low is None else max(low, Decimal(-end))
            high = Decimal(end - 1) if high is None else min(high, Decimal(end - 1))
        if low is not None and high is not None and low >= high:
            raise ValueError("at_least has to be lower than at_most")
        self._low, self._high = low, high
        self._bounds: dict[int, tuple[int, float, float]] = {}

    def anonymize(self, value: str, *others: Any) -> str:
        """The number with noise."""
        number = self.key.number(value.encode())
        if self.column.type in _BITS:
            return str(self._noisy(int(value), 0, number))
        if self._float:
            return self._noisy_float(value, number)
        point = value.find(".")
        scale = 0 if point < 0 else len(value) - point - 1
        try:
            units = int(value.replace(".", "", 1))
        except ValueError:  # NaN, Infinity
            raise UnfitValue from None
        units = self._noisy(units, scale, number)
        digits = f"{abs(units):0{scale + 1}}"
        text = f"{digits[:-scale]}.{digits[-scale:]}" if scale else digits
        return f"-{text}" if units < 0 else text

    def anonymize_batch(self, values: Sequence[str], *others: Sequence[Any]) -> list[str]:
        """The numbers with noise."""
        if self.column.type not in _BITS:
            return list(map(self.anonymize, values))
        digest, number, noisy = self.key.digest, int.from_bytes, self._noisy
        return [
            str(noisy(int(value), 0, number(digest(value.encode())[:NUMBER_BYTES], "big")))
            for value in values
        ]

    def _noisy(self, units: int, scale: int, number: int) -> int:
        """A number in units of its last digit, with noise."""
        bounds = self._bounds.get(scale)
        if bounds is None:
            bounds = self._bounds[scale] = self._scaled(scale)
        bound, low, high = bounds
        if self._share is not None:
            bound = abs(units) * self._share // _PER or 1
        part = number % (2 * bound)
        noise = part - bound if part < bound else part - bound + 1
        made = units + noise
        if low <= made <= high:
            return made
        made = units - noise
        if low <= made <= high:
            return made
        raise UnfitValue

    def _scaled(self, scale: int) -> tuple[int, float, float]:
        """The amount and both ends in units of the last digit."""
        amount = self.config.amount
        bound = 1 if amount is None else int(amount.scaleb(scale)) or 1
        low = -math.inf if self._low is None else math.ceil(self._low.scaleb(scale))
        high = math.inf if self._high is None else math.floor(self._high.scaleb(scale))
        return bound, low, high

    def _noisy_float(self, value: str, number: int) -> str:
        units = float(value)
        if not math.isfinite(units):
            raise UnfitValue
        config = self.config
        bound = abs(units) * config.share if config.share else float(config.amount or 0)
        # An odd numerator is never 0.
        noise = bound * ((2 * number + 1 - NUMBER_RANGE) / NUMBER_RANGE)
        for made in (units + noise, units - noise):
            below = self._low is not None and made < float(self._low)
            above = self._high is not None and made > float(self._high)
            if math.isfinite(made) and made != units and not (below or above):
                return repr(made)
        raise UnfitValue

    def to_sql(self, column: str, *others: str) -> str | None:
        """The number with noise, for integers without bounds of their own."""
        type_name, config = self.column.type, self.config
        if type_name not in _BITS or config.at_least is not None or config.at_most is not None:
            return None
        if self._share is not None and self._share > _PER // 2:
            return None
        # numeric does not overflow where a sum leaves the type for a moment.
        bound = (
            f"{int(config.amount)}::numeric"
            if config.amount is not None
            else f"greatest(div(abs({column}::numeric) * {self._share}, {_PER}), 1)"
        )
        part = f"mod({self.key.sql_number(f'{column}::text')}, 2 * {bound})"
        noise = once(part, "n", f"CASE WHEN n < {bound} THEN n - {bound} ELSE n - {bound} + 1 END")
        added = once(
            noise,
            "d",
            f"CASE WHEN {column} + d BETWEEN {self._low} AND {self._high} "
            f"THEN {column} + d ELSE {column} - d END",
        )
        return f"{added}::{type_name}"
