"""credit-card: a card number with a valid check digit that no bank has issued."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from confiture_flows.anonymization.check_digits import luhn
from confiture_flows.anonymization.keys import NUMBER_BYTES
from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategies._digest import DigestStrategy
from confiture_flows.anonymization.strategy import StrategyBase

# What numbers start with, and how many digits they have. The first three are where payment
# providers have their test cards. 9999 is of the numbers that ISO/IEC 7812 leaves to national
# bodies; no card network routes them.
_RANGES = {
    "visa": ("400000", 16),
    "mastercard": ("555555", 16),
    "amex": ("378282", 15),
    "none": ("9999", 16),
}
_UNIQUE = ("9999", 19)


@register_strategy("credit-card")
class CreditCard(DigestStrategy):
    """A card number that passes Luhn's check, from ranges that hold test cards.

    With `unique` it has 19 digits and starts with 9999, which belongs to no network. Nothing of
    the value stays, its last four digits neither.
    """

    class Config(StrategyBase.Config):
        """Options of credit-card."""

        network: Literal["visa", "mastercard", "amex", "none"] = Field(
            default="visa", description="Whose numbers they look like."
        )
        unique: bool = Field(default=False, description="Different values get different numbers.")

    config: Config

    def prepare(self) -> None:
        """Find the range."""
        self._start, length = _UNIQUE if self.config.unique else _RANGES[self.config.network]
        if self.config.unique:
            self.unique = "probable"
        self._free = length - len(self._start) - 1
        if self.room is not None and self.room < length:
            raise ValueError(f"the column takes {self.room} characters, a number has {length}")

    def of_digest(self, digest: bytes) -> str:
        """The number."""
        number = int.from_bytes(digest[:NUMBER_BYTES], "big") % 10**self._free
        made = f"{self._start}{number:0{self._free}}"
        return made + luhn(made)

    def capacity(self) -> int:
        """Ten a free digit."""
        return 10**self._free
