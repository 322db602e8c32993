"""postcode: a postcode of the same shape, of which the first characters may stay."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategy import StrategyBase, UnfitValue

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS = "0123456789"


@register_strategy("postcode")
class Postcode(StrategyBase):
    """A postcode of the same shape: digits become other digits, letters other letters.

    `keep` leaves the first characters, for the region; `rest` says what becomes of the others.
    The safe harbour of HIPAA wants `keep = 3, rest = "zero"`, and 000 for sparse regions, which
    this strategy does not know.
    """

    keyed = True

    class Config(StrategyBase.Config):
        """Options of postcode."""

        keep: int = Field(default=0, ge=0, le=8, description="How many characters stay.")
        rest: Literal["keyed", "zero", "cut"] = Field(
            default="keyed", description="The others become keyed ones, 0, or nothing."
        )

    config: Config

    def prepare(self) -> None:
        """A code may end in zeros, or be no longer than what stays."""
        self.keeps = self.config.rest != "keyed"

    def anonymize(self, value: str, *others: object) -> str:
        """The postcode."""
        keep, rest = self.config.keep, self.config.rest
        if not value.isascii() or not any(map(str.isalnum, value)):
            raise UnfitValue
        if rest == "cut":
            return value[:keep].rstrip(" -")
        tail = value[keep:]
        if rest == "zero":
            return value[:keep] + "".join("0" if each.isalnum() else each for each in tail)
        if not any(map(str.isalnum, tail)):
            raise UnfitValue
        number = int.from_bytes(self.key.digest(value.encode()), "big")
        made = []
        for each in tail:
            if each.isdigit():
                number, index = divmod(number, 10)
                made.append(_DIGITS[index])
            elif each.isalpha():
                number, index = divmod(number, 26)
                made.append(_LETTERS[index] if each.isupper() else _LETTERS[index].lower())
            else:
                made.append(each)
        return value[:keep] + "".join(made)
