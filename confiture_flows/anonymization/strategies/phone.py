"""phone: a number from a range that no subscriber is ever given, the same for equal values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from confiture_flows.anonymization.keys import NUMBER_BYTES
from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategies._digest import DigestStrategy
from confiture_flows.anonymization.strategy import StrategyBase

if TYPE_CHECKING:
    from collections.abc import Iterator

# Country code, trunk prefix, then area codes, exchange and the number of free digits. Sources: the
# numbering plan of North America (555-0100 to 555-0199 of any area); Ofcom, numbers for drama use;
# ARCEP, decision 2018-0881; Bundesnetzagentur, numbers for media productions; ACMA, numbers for
# creative works.
_US_AREAS = tuple(str(area) for area in range(201, 990) if area % 100 != 11 and str(area)[1] != "9")
_UK_AREAS = ("113", "114", "115", "116", "117", "118", "121", "131", "141", "151", "161")
_RANGES: dict[str, tuple[str, str, tuple[tuple[tuple[str, ...], str, int], ...]]] = {
    "us": ("1", "", ((_US_AREAS, "55501", 2),)),
    "gb": (
        "44",
        "0",
        (
            (_UK_AREAS, "4960", 3),
            (("191",), "4980", 3),
            (("20",), "79460", 3),
            (("1632",), "960", 3),
            (("7700",), "900", 3),
        ),
    ),
    "fr": (
        "33",
        "0",
        (
            (("1",), "9900", 4),
            (("2",), "6191", 4),
            (("3",), "5301", 4),
            (("4",), "6571", 4),
            (("5",), "3649", 4),
            (("6",), "3998", 4),
        ),
    ),
    "de": (
        "49",
        "0",
        (
            (("30",), "23125", 3),
            (("69",), "90009", 3),
            (("40",), "66969", 3),
            (("221",), "4710", 3),
            (("89",), "99998", 3),
        ),
    ),
    "au": ("61", "0", ((("2", "3", "7", "8"), "5550", 4), (("2", "3", "7", "8"), "7010", 4))),
}
# ITU-T E.164 has assigned country code 999 to nobody.
_NOWHERE = "+999"
_NOWHERE_DIGITS = 16


@register_strategy("phone")
class Phone(DigestStrategy):
    """A telephone number from a range that is kept for fiction; equal values get equal numbers.

    These ranges are small (from 5,000 numbers in Germany to 71,000 in North America). With
    `unique` the number is +999, a country code that is assigned to nobody, and 16 digits.
    """

    accepts = ("text",)

    class Config(StrategyBase.Config):
        """Options of phone."""

        region: Literal["us", "gb", "fr", "de", "au"] = Field(
            default="us", description="Whose numbers; us is all of North America."
        )
        form: Literal["international", "national", "digits"] = Field(
            default="international", description="+44..., 0... or digits alone."
        )
        unique: bool = Field(default=False, description="Different values get different numbers.")

    config: Config

    def prepare(self) -> None:
        """List what the numbers start with."""
        self._made: tuple[str, ...] | None = None
        if self.config.unique:
            self.unique = "probable"
            self._start = _NOWHERE[self.config.form == "digits" :]
            room = self.room
            self._digits = min(_NOWHERE_DIGITS, 99 if room is None else room - len(self._start))
            if self._digits < 8:
                raise ValueError(f"the column takes {room} characters, too few for unique numbers")
            self._size = 10**self._digits
            return
        self._made = tuple(self._numbers())
        self._size = len(self._made)
        longest = max(map(len, self._made))
        if self.room is not None and longest > self.room:
            raise ValueError(f"the column takes {self.room} characters, numbers have {longest}")

    def _numbers(self) -> Iterator[str]:
        country, trunk, ranges = _RANGES[self.config.region]
        start = {"international": f"+{country}", "national": trunk, "digits": country}
        for areas, exchange, free in ranges:
            for area in areas:
                for number in range(10**free):
                    yield f"{start[self.config.form]}{area}{exchange}{number:0{free}}"

    def of_digest(self, digest: bytes) -> str:
        """The number."""
        number = int.from_bytes(digest[:NUMBER_BYTES], "big") % self._size
        return self._made[number] if self._made else f"{self._start}{number:0{self._digits}}"

    def capacity(self) -> int:
        """As many as the ranges hold."""
        return self._size
