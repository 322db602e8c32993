"""bucket: the lower end of the range that a number is in."""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategy import StrategyBase, UnfitValue

if TYPE_CHECKING:
    from typing import Self

_LOWEST = {"int2": -(2**15), "int4": -(2**31), "int8": -(2**63)}


@register_strategy("bucket")
class Bucket(StrategyBase):
    """The lower end of the range that a number is in: 37 becomes 30 with `width = 10`.

    With `edges = [0, 18, 30, 65]` it is the highest edge that is not above the number, and the
    lowest edge for what is below all of them.
    """

    accepts = ("integer", "numeric")
    keeps = True

    class Config(StrategyBase.Config):
        """Options of bucket."""

        width: Decimal | None = Field(default=None, gt=0, description="How wide each range is.")
        start: Decimal = Field(default=Decimal(0), description="Where a range starts, with width.")
        edges: tuple[Decimal, ...] = Field(default=(), description="Where ranges start, instead.")

        @model_validator(mode="after")
        def one_of_both(self) -> Self:
            """Refuse width with edges, and edges out of order."""
            if (self.width is None) == (not self.edges):
                raise ValueError("give either width or edges")
            if list(self.edges) != sorted(set(self.edges)):
                raise ValueError("edges have to ascend")
            return self

    config: Config

    def prepare(self) -> None:
        """Refuse fractions for integers."""
        config = self.config
        self._whole = self.column.type in _LOWEST
        given = (config.width or Decimal(1), config.start, *config.edges)
        if self._whole and any(each % 1 for each in given):
            raise ValueError("width, start and edges have to be whole for an integer")

    def anonymize(self, value: str, *others: Any) -> str:
        """The lower end."""
        config = self.config
        if self._whole and config.width is not None:
            number, width, start = int(value), int(config.width), int(config.start)
            low = number - (number - start) % width
            return str(max(low, _LOWEST[self.column.type]))
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise UnfitValue from None
        if not number.is_finite() or len(value) > 1000:
            raise UnfitValue
        if config.width is None:
            return f"{config.edges[max(bisect_right(config.edges, number) - 1, 0)]:f}"
        scale = 10 ** max(-_exponent(each) for each in (number, config.width, config.start))
        whole, width, start = (_units(each, scale) for each in (number, config.width, config.start))
        return f"{_point(whole - (whole - start) % width, scale)}"

    def to_sql(self, column: str, *others: str) -> str | None:
        """The lower end, computed by the source; for integers."""
        config, type_name = self.config, self.column.type
        if not self._whole:
            return None
        if config.width is None:
            cases = " ".join(
                f"WHEN {column} >= {edge:f} THEN {edge:f}" for edge in reversed(config.edges)
            )
            below = f"WHEN {column} IS NOT NULL THEN {config.edges[0]:f}"
            return f"(CASE {cases} {below} END)::{type_name}"
        width, start = f"{config.width:f}::numeric", f"({config.start:f})::numeric"
        # mod has the sign of what is divided.
        above = f"mod(mod({column} - {start}, {width}) + {width}, {width})"
        low = f"greatest({column} - {above}, {_LOWEST[type_name]})"
        return f"CASE WHEN {column} IS NOT NULL THEN ({low})::{type_name} END"


def _exponent(number: Decimal) -> int:
    return min(int(number.as_tuple().exponent), 0)


def _units(number: Decimal, scale: int) -> int:
    top, bottom = number.as_integer_ratio()
    return top * scale // bottom


def _point(units: int, scale: int) -> str:
    digits = len(str(scale)) - 1
    if not digits:
        return str(units)
    text = f"{abs(units):0{digits + 1}}"
    made = f"{text[:-digits]}.{text[-digits:]}"
    return f"-{made}" if units < 0 else made
