"""user-name: a first name and digits, the same for equal values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from confiture_flows.anonymization.keys import NUMBER_BYTES
from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategies._digest import DigestStrategy
from confiture_flows.anonymization.strategies._sql import entry, once
from confiture_flows.anonymization.strategies._words import words
from confiture_flows.anonymization.strategy import StrategyBase

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_MIN_DIGITS = 6
# The digits after those that chose the name, so that neither tells of the other.
_FROM = 2 * NUMBER_BYTES


@register_strategy("user-name")
class UserName(DigestStrategy):
    """A user name such as harriet_3f9a0c27d1e84b56; equal values get equal names.

    Names and digits together make it unique among millions. A column that is too short gets
    fewer digits, and the check against its UNIQUE constraint knows.
    """

    accepts = ("text",)
    unique = "probable"

    class Config(StrategyBase.Config):
        """Options of user-name."""

        digits: int = Field(default=16, ge=_MIN_DIGITS, le=48, description="Hexadecimal digits.")

    config: Config

    def prepare(self) -> None:
        """Cut the digits to the column."""
        self._names = tuple(f"{name.lower()}_" for name in words("en", "first_names"))
        longest = max(map(len, self._names))
        self._digits = self.config.digits
        if self.room is not None:
            self._digits = min(self._digits, self.room - longest)
        if self._digits < _MIN_DIGITS:
            raise ValueError(
                f"the column takes {self.room} characters, at least {longest + _MIN_DIGITS} are "
                "needed"
            )

    def of_digest(self, digest: bytes) -> str:
        """The user name."""
        names = self._names
        name = names[int.from_bytes(digest[:NUMBER_BYTES], "big") % len(names)]
        return name + digest.hex()[_FROM : _FROM + self._digits]

    def to_sql(self, column: str, *others: str) -> str | None:
        """The user name, made by the source."""
        source = self.sql_source(column)
        if source is None:
            return None
        number = f"('x' || left(h, {_FROM}))::bit({4 * _FROM})::bigint"
        name = entry(self._names, f"mod({number}, {len(self._names)})")
        digits = f"substr(h, {_FROM + 1}, {self._digits})"
        return once(f"encode({self.key.sql(source)}, 'hex')", "h", f"{name} || {digits}")

    def anonymize_batch(self, values: Sequence[str], *others: Sequence[Any]) -> list[str]:
        """The user names."""
        names, count, end = self._names, len(self._names), _FROM + self._digits
        made = []
        digest, number = self.key.digest, int.from_bytes
        for value in values:
            data = digest(value.encode())
            made.append(names[number(data[:NUMBER_BYTES], "big") % count] + data.hex()[_FROM:end])
        return made

    def capacity(self) -> int:
        """Names, and four bits a digit."""
        return len(self._names) * 16**self._digits
