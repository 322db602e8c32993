"""url: an address of a reserved domain, the same for equal values."""

from __future__ import annotations

from pydantic import Field

from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategies._digest import DigestStrategy
from confiture_flows.anonymization.strategy import StrategyBase

_START = "https://example.com/"
_MIN_DIGITS = 8


@register_strategy("url")
class Url(DigestStrategy):
    """A web address below https://example.com/; equal values get equal addresses.

    Nothing of the value stays: hosts, paths and queries all may name somebody.
    """

    accepts = ("text",)
    unique = "probable"

    class Config(StrategyBase.Config):
        """Options of url."""

        digits: int = Field(default=20, ge=_MIN_DIGITS, le=64, description="Hexadecimal digits.")
        ending: str = Field(
            default="",
            pattern=r"^[A-Za-z0-9./_-]*$",
            description="What follows them, such as .png.",
        )

    config: Config

    def prepare(self) -> None:
        """Cut the digits to the column."""
        taken = len(_START) + len(self.config.ending)
        room = self.config.digits if self.room is None else self.room - taken
        self._digits = min(self.config.digits, room)
        if self._digits < _MIN_DIGITS:
            raise ValueError(
                f"the column takes {self.room} characters, at least {taken + _MIN_DIGITS} are "
                "needed"
            )

    def of_digest(self, digest: bytes) -> str:
        """The address."""
        return f"{_START}{digest.hex()[: self._digits]}{self.config.ending}"

    def to_sql(self, column: str, *others: str) -> str | None:
        """The address, made by the source."""
        source = self.sql_source(column)
        if source is None:
            return None
        digits = f"left(encode({self.key.sql(source)}, 'hex'), {self._digits})"
        return f"'{_START}' || {digits} || '{self.config.ending}'"

    def capacity(self) -> int:
        """Four bits a digit."""
        return 16**self._digits
