"""hash: a keyed digest in hexadecimal, the same for equal values."""

from __future__ import annotations

from collections.abc import Sequence  # noqa: TC003 - beside what runs
from typing import Any

from pydantic import Field

from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategies._digest import DigestStrategy
from confiture_flows.anonymization.strategy import StrategyBase

_DIGITS = 64


@register_strategy("hash")
class Hash(DigestStrategy):
    """HMAC-SHA256 of the value, in hexadecimal; equal values get equal digests.

    A digest that the column is too short for is cut.
    """

    unique = "probable"

    class Config(StrategyBase.Config):
        """Options of hash."""

        length: int = Field(default=_DIGITS, ge=8, le=_DIGITS, description="Hexadecimal digits.")

    config: Config

    def prepare(self) -> None:
        """Cut the digest to the column."""
        self._length = min(self.config.length, self.room or self.config.length)

    def of_digest(self, digest: bytes) -> str:
        """The digest in hexadecimal."""
        return digest.hex()[: self._length]

    def anonymize_batch(self, values: Sequence[str], *others: Sequence[Any]) -> list[str]:
        """The digests."""
        digits, length = self.key.hex_digests(values), self._length
        return digits if length == _DIGITS else [each[:length] for each in digits]

    def to_sql(self, column: str, *others: str) -> str | None:
        """The digest, computed by the source."""
        source = self.sql_source(column)
        if source is None:
            return None
        return f"left(encode({self.key.sql(source)}, 'hex'), {self._length})"

    def capacity(self) -> int:
        """Four bits a digit."""
        return 16**self._length
