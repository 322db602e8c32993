"""national-id: a number of a country's register, in its form, from ranges it never issued."""

from __future__ import annotations

from math import factorial
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from confiture_flows.anonymization.check_digits import mod_11_10
from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategies._digest import DigestStrategy
from confiture_flows.anonymization.strategy import StrategyBase

if TYPE_CHECKING:
    from collections.abc import Callable

_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_PESEL_WEIGHTS = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)


def _us_ssn(number: int) -> str:
    """Areas 900 to 999 are no Social Security numbers, groups 01 to 49 no ITINs within them."""
    number, area = divmod(number, 100)
    number, group = divmod(number, 49)
    return f"{900 + area}-{group + 1:02}-{number % 9999 + 1:04}"


def _gb_nino(number: int) -> str:
    """QQ is no prefix; HMRC writes its examples with it."""
    number, suffix = divmod(number, 4)
    return f"QQ{number % 10**6:06}{'ABCD'[suffix]}"


def _fr_nir(number: int) -> str:
    """There is no department 00. The key is 97 minus the remainder by 97."""
    number, sex = divmod(number, 2)
    number, year = divmod(number, 100)
    number, month = divmod(number, 12)
    made = f"{sex + 1}{year:02}{month + 1:02}00{number % 10**6:06}"
    return f"{made}{97 - int(made) % 97:02}"


def _de_steuer_id(number: int) -> str:
    """Those that start with 0 are for tests. One digit of ten comes twice, one not at all."""
    number, missing = divmod(number, 9)
    left = [each for each in range(1, 10) if each != missing + 1]
    number, twice = divmod(number, 9)
    left.append([0, *left][twice])
    made = "0"
    for size in range(9, 0, -1):
        number, index = divmod(number, size)
        made += str(left.pop(index))
    return made + mod_11_10(made)


def _pl_pesel(number: int) -> str:
    """Of births in the 19th century, whose months count from 81."""
    number, year = divmod(number, 100)
    number, month = divmod(number, 12)
    number, day = divmod(number, 28)
    made = f"{year:02}{month + 81:02}{day + 1:02}{number % 10**4:04}"
    total = sum(int(each) * weight for each, weight in zip(made, _PESEL_WEIGHTS, strict=True))
    return f"{made}{-total % 10}"


def _es_dni(number: int) -> str:
    """From 99000000 on, far above those that are given."""
    number = 99_000_000 + number % 10**6
    return f"{number}{_DNI_LETTERS[number % 23]}"


# How each is made, and how many there are.
_KINDS: dict[str, tuple[Callable[[int], str], int]] = {
    "us-ssn": (_us_ssn, 100 * 49 * 9999),
    "gb-nino": (_gb_nino, 4 * 10**6),
    "fr-nir": (_fr_nir, 2 * 100 * 12 * 10**6),
    # Nine are missing in turn; 0 comes twice, or one of the eight others.
    "de-steuer-id": (_de_steuer_id, 9 * (factorial(9) + 8 * factorial(9) // 2)),
    "pl-pesel": (_pl_pesel, 100 * 12 * 28 * 10**4),
    "es-dni": (_es_dni, 10**6),
}


@register_strategy("national-id")
class NationalId(DigestStrategy):
    """A number in the form of a country's register, with valid check digits, that nobody has.

    us-ssn: areas 900 to 999. gb-nino: the prefix QQ. fr-nir: the department 00. de-steuer-id:
    those that start with 0, for tests. pl-pesel: births of the 19th century. es-dni: from
    99000000 on, which are not reserved but far from those that are given. These ranges are
    small; for a UNIQUE column use `permute`, which keeps the form and not the check digits.
    """

    class Config(StrategyBase.Config):
        """Options of national-id."""

        kind: Literal["us-ssn", "gb-nino", "fr-nir", "de-steuer-id", "pl-pesel", "es-dni"] = Field(
            description="Which register."
        )

    config: Config

    def prepare(self) -> None:
        """Find out how it is made."""
        self._make, self._size = _KINDS[self.config.kind]
        length = len(self._make(0))
        if self.room is not None and self.room < length:
            raise ValueError(f"the column takes {self.room} characters, a number has {length}")

    def of_digest(self, digest: bytes) -> str:
        """The number."""
        return self._make(int.from_bytes(digest[:16], "big"))

    def capacity(self) -> int:
        """As many as the range has."""
        return self._size
