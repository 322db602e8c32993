"""phone: a number from a range that no subscriber is ever given, the same for equal values."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategies._picking import PickingStrategy
from confiture_flows.anonymization.strategy import StrategyBase

# Country code, trunk prefix, how many digits are free, and what stands before them: area codes and
# exchange. Sources: the numbering plan of North America (555-0100 to 555-0199 of any area); Ofcom,
# numbers for drama use; ARCEP, decision 2018-0881; Bundesnetzagentur, numbers for media
# productions; ACMA, numbers for creative works.
_US_AREAS = tuple(str(area) for area in range(201, 990) if area % 100 != 11 and str(area)[1] != "9")
_UK_AREAS = ("113", "114", "115", "116", "117", "118", "121", "131", "141", "151", "161")
_AU_AREAS = ("2", "3", "7", "8")
_RANGES: dict[str, tuple[str, str, int, tuple[tuple[tuple[str, ...], str], ...]]] = {
    "us": ("1", "", 2, ((_US_AREAS, "55501"),)),
    "gb": (
        "44",
        "0",
        3,
        (
            (_UK_AREAS, "4960"),
            (("191",), "4980"),
            (("20",), "79460"),
            (("1632",), "960"),
            (("7700",), "900"),
        ),
    ),
    "fr": (
        "33",
        "0",
        4,
        (
            (("1",), "9900"),
            (("2",), "6191"),
            (("3",), "5301"),
            (("4",), "6571"),
            (("5",), "3649"),
            (("6",), "3998"),
        ),
    ),
    "de": (
        "49",
        "0",
        3,
        (
            (("30",), "23125"),
            (("69",), "90009"),
            (("40",), "66969"),
            (("221",), "4710"),
            (("89",), "99998"),
        ),
    ),
    "au": ("61", "0", 4, ((_AU_AREAS, "5550"), (_AU_AREAS, "7010"))),
}
# ITU-T E.164 has assigned country code 999 to nobody.
_NOWHERE = "+999"
_NOWHERE_DIGITS = 16
_MIN_NOWHERE_DIGITS = 8


@register_strategy("phone")
class Phone(PickingStrategy):
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
        """List what the numbers are made of."""
        if self.config.unique:
            self.unique = "probable"
            start = _NOWHERE[self.config.form == "digits" :]
            room = _NOWHERE_DIGITS if self.room is None else self.room - len(start)
            if room < _MIN_NOWHERE_DIGITS:
                raise ValueError(
                    f"the column takes {self.room} characters, too few for unique numbers"
                )
            self.pick_from(start, *_digits(min(_NOWHERE_DIGITS, room)))
            return
        country, trunk, free, ranges = _RANGES[self.config.region]
        start = {"international": f"+{country}", "national": trunk, "digits": country}
        starts = tuple(
            f"{start[self.config.form]}{area}{exchange}"
            for areas, exchange in ranges
            for area in areas
        )
        longest = max(map(len, starts)) + free
        if self.room is not None and longest > self.room:
            raise ValueError(f"the column takes {self.room} characters, numbers have {longest}")
        self.pick_from(starts, *_digits(free))


def _digits(count: int) -> list[tuple[str, ...]]:
    """Lists to pick so many digits from, two by two."""
    pairs = tuple(f"{number:02}" for number in range(100))
    return [*([tuple("0123456789")] * (count % 2)), *([pairs] * (count // 2))]
