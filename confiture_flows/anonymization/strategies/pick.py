"""pick: one of a list, by weights, the same for equal values."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from confiture_flows.anonymization.keys import NUMBER_BYTES, NUMBER_RANGE
from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategies._digest import DigestStrategy
from confiture_flows.anonymization.strategies._sql import literal, once
from confiture_flows.anonymization.strategy import ANY_TYPE, StrategyBase

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self


@register_strategy("pick")
class Pick(DigestStrategy):
    """One of a list of values, each as often as its weight says; equal values get equal ones."""

    accepts = (ANY_TYPE,)

    class Config(StrategyBase.Config):
        """Options of pick."""

        values: tuple[str, ...] = Field(
            min_length=2, description="What is picked from, as PostgreSQL reads it."
        )
        weights: tuple[float, ...] = Field(
            default=(), description="How often each is picked; equally often by default."
        )

        @model_validator(mode="after")
        def a_weight_each(self) -> Self:
            """Refuse another number of weights, and weights that pick nothing."""
            if self.weights and len(self.weights) != len(self.values):
                raise ValueError("there have to be as many weights as values")
            if any(not 0 < each < float("inf") for each in self.weights):
                raise ValueError("weights have to be above 0")
            return self

    config: Config

    def prepare(self) -> None:
        """Give each value its share of the numbers of a digest."""
        values, weights = (
            self.config.values,
            self.config.weights or (1.0,) * len(self.config.values),
        )
        room = self.column.max_length
        if room is not None and max(map(len, values)) > room:
            raise ValueError(f"a value is longer than {room} characters")
        if self.column.labels and not set(values) <= set(self.column.labels):
            raise ValueError(f"a value is none of {', '.join(self.column.labels)}")
        total = sum(weights)
        self._ends = [int(end / total * NUMBER_RANGE) for end in accumulate(weights)][:-1]

    def of_digest(self, digest: bytes) -> str:
        """The value that a digest picks."""
        number = int.from_bytes(digest[:NUMBER_BYTES], "big")
        return self.config.values[bisect_right(self._ends, number)]

    def anonymize_batch(self, values: Sequence[str], *others: Sequence[Any]) -> list[str]:
        """The picks for many."""
        digest, number, ends, chosen = (
            self.key.digest,
            int.from_bytes,
            self._ends,
            self.config.values,
        )
        return [
            chosen[bisect_right(ends, number(digest(value.encode())[:NUMBER_BYTES], "big"))]
            for value in values
        ]

    def to_sql(self, column: str, *others: str) -> str | None:
        """The picks, made by the source; for text."""
        source = self.sql_source(column)
        if source is None or self.column.type == "uuid":
            return None
        values = list(map(literal, self.config.values))
        cases = " ".join(
            f"WHEN n < {end} THEN {value}"
            for end, value in zip(self._ends, values[:-1], strict=True)
        )
        last = f"WHEN n IS NOT NULL THEN {values[-1]}"
        return once(self.key.sql_number(source), "n", f"CASE {cases} {last} END")

    def capacity(self) -> int:
        """As many as there are."""
        return len(set(self.config.values))
