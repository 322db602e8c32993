"""dp-noise: a number with Laplace noise, and what that costs of a privacy budget."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from confiture_flows.anonymization.keys import NUMBER_BYTES, NUMBER_RANGE
from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategy import StrategyBase, UnfitValue

if TYPE_CHECKING:
    from typing import Self

_WHOLE = ("int2", "int4", "int8")


@register_strategy("dp-noise")
class DpNoise(StrategyBase):
    """A number with Laplace noise of the scale sensitivity / epsilon (local differential privacy).

    The value is first put between `at_least` and `at_most`, whose distance is the sensitivity
    unless a smaller one is given, and so is the result. `epsilon` is the budget that each value
    costs; those of several columns of one person add up, and `budget` reports it.

    The noise is keyed by row and value: a second copy under the same secret has the same noise,
    so that copies cannot be averaged. Two limits: the guarantee holds against those who do not
    have the secret, and the arithmetic of floating-point numbers, from which a determined
    attacker may learn more than epsilon says (Mironov 2012), is not defended against.
    """

    accepts = ("integer", "numeric", "float4", "float8")
    keyed = True
    # A bound stays one, and small noise rounds to nothing.
    keeps = True

    class Config(StrategyBase.Config):
        """Options of dp-noise."""

        epsilon: float = Field(gt=0, le=100, description="The budget of a value; less hides more.")
        at_least: float = Field(description="Values below count as this.")
        at_most: float = Field(description="Values above count as this.")
        sensitivity: float | None = Field(
            default=None, gt=0, description="How much one person can change a value by."
        )
        row: str = Field(description="The column that tells rows apart, such as the primary key.")

        @model_validator(mode="after")
        def ordered(self) -> Self:
            """Refuse bounds that hold nothing between them."""
            if not (math.isfinite(self.at_least) and math.isfinite(self.at_most)):
                raise ValueError("at_least and at_most have to be finite")
            if self.at_least >= self.at_most:
                raise ValueError("at_least has to be lower than at_most")
            return self

    config: Config

    def prepare(self) -> None:
        """Compute the scale; refuse bounds that the type does not hold."""
        config, type_name = self.config, self.column.type
        self._scale = (config.sensitivity or config.at_most - config.at_least) / config.epsilon
        if type_name in _WHOLE:
            end = 1 << (8 * int(type_name[3:]) - 1)
            if config.at_least < -end or config.at_most >= end:
                raise ValueError(f"the bounds leave {type_name}")

    @property
    def budget(self) -> float:
        """The epsilon that each value costs."""
        return self.config.epsilon

    def needs(self) -> tuple[str, ...]:
        """The column that tells rows apart."""
        return (self.config.row,)

    def anonymize(self, value: str, *others: Any) -> str:
        """The number with noise."""
        row = others[0]
        try:
            number = float(value)
        except ValueError:
            raise UnfitValue from None
        if row is None or math.isnan(number):
            raise UnfitValue
        config = self.config
        digest = self.key.digest(f"{row}\0{value}".encode())
        # An odd numerator is neither 0 nor 1, at both of which the logarithm has no value.
        part = (2 * int.from_bytes(digest[:NUMBER_BYTES], "big") + 1) / (2 * NUMBER_RANGE) - 0.5
        # 1 - 2 |part| of the last numbers before the ends is 0 in floating point.
        tail = max(1 - 2 * abs(part), 2.0**-53)
        noise = math.copysign(self._scale * math.log(tail), part)
        made = min(max(number, config.at_least), config.at_most) + noise
        made = min(max(made, config.at_least), config.at_most)
        if self.column.type in _WHOLE:
            return str(
                min(max(round(made), math.ceil(config.at_least)), math.floor(config.at_most))
            )
        return self._like(value, made) if self.column.type == "numeric" else repr(made)

    @staticmethod
    def _like(value: str, made: float) -> str:
        """A decimal with as many digits after the point as the value."""
        point = value.find(".")
        digits = 0 if point < 0 else len(value) - point - 1
        try:
            return f"{Decimal(made).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN):f}"
        except InvalidOperation:
            raise UnfitValue from None
