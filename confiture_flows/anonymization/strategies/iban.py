"""iban: an account number with valid check digits at a bank that there is not."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from confiture_flows.anonymization.check_digits import iban_check
from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategies._digest import DigestStrategy
from confiture_flows.anonymization.strategy import StrategyBase

# Source: SWIFT's registry of IBAN formats. A bank's code of zeros (XXXX in letters) is no bank's;
# then so many free digits. National check digits within the account are computed where the
# country has them in a place of their own.
_FORMS = {
    "AT": ("00000", 11),
    "BE": ("000", 7),
    "CH": ("00000", 12),
    "DE": ("00000000", 10),
    "ES": ("00000000", 10),
    "FR": ("0000000000", 11),
    "GB": ("XXXX000000", 8),
    "IT": ("0000000000", 12),
    "NL": ("XXXX", 10),
    "PL": ("00000000", 16),
}
# ISO 3166 leaves XX to its users.
_UNIQUE = ("XX", "0000", 18)
_SPANISH = (1, 2, 4, 8, 5, 10, 9, 7, 3, 6)
# What a character in an odd place counts for the Italian control letter: 0 to 9.
_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)


@register_strategy("iban")
class Iban(DigestStrategy):
    """An IBAN with valid check digits, at a bank whose code is zeros; equal values get equal ones.

    With `unique` its country is XX, which is nobody's.
    """

    class Config(StrategyBase.Config):
        """Options of iban."""

        country: Literal["AT", "BE", "CH", "DE", "ES", "FR", "GB", "IT", "NL", "PL"] = Field(
            default="DE", description="Whose form it has."
        )
        unique: bool = Field(default=False, description="Different values get different numbers.")

    config: Config

    def prepare(self) -> None:
        """Find the form."""
        country = self.config.country
        self._country, self._bank, self._free = country, *_FORMS[country]
        if self.config.unique:
            self._country, self._bank, self._free = _UNIQUE
            self.unique = "probable"
        length = len(self.of_digest(bytes(32)))
        if self.room is not None and self.room < length:
            raise ValueError(f"the column takes {self.room} characters, an IBAN has {length}")

    def of_digest(self, digest: bytes) -> str:
        """The IBAN."""
        number = int.from_bytes(digest[:16], "big") % 10**self._free
        account = self._checked(f"{number:0{self._free}}")
        return f"{self._country}{iban_check(self._country, account)}{account}"

    def _checked(self, account: str) -> str:
        """Bank and account with the country's own check digits."""
        bank, country = self._bank, self._country
        if country == "BE":
            return f"{bank}{account}{int(bank + account) % 97 or 97:02}"
        if country == "FR":
            return f"{bank}{account}{97 - int(f'{bank}{account}') * 100 % 97:02}"
        if country == "ES":
            return f"{bank}{_spanish('00' + bank)}{_spanish(account)}{account}"
        if country == "IT":
            return f"{_italian(bank + account)}{bank}{account}"
        return bank + account

    def capacity(self) -> int:
        """Ten a free digit."""
        return 10**self._free


def _spanish(digits: str) -> int:
    left = 11 - sum(int(each) * weight for each, weight in zip(digits, _SPANISH, strict=True)) % 11
    return {10: 1, 11: 0}.get(left, left)


def _italian(digits: str) -> str:
    numbers = list(map(int, digits))
    return chr(65 + (sum(_ODD[each] for each in numbers[::2]) + sum(numbers[1::2])) % 26)
