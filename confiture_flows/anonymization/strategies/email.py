"""email: an address that nobody can have, the same for equal values."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategies._digest import DigestStrategy
from confiture_flows.anonymization.strategy import StrategyBase

# RFC 2606 and 6761: nobody is ever given these.
_RESERVED_NAMES = ("example.com", "example.net", "example.org")
_RESERVED_ENDS = ("example", "invalid", "test", "localhost")
_MIN_DIGITS = 8


@register_strategy("email")
class Email(DigestStrategy):
    """An e-mail address of a reserved domain; equal values get equal addresses.

    80 bits of the digest make it unique among billions. A column that is too short for them gets
    fewer, and the check against its UNIQUE constraint knows.
    """

    accepts = ("text",)
    unique = "probable"

    class Config(StrategyBase.Config):
        """Options of email."""

        domain: str = Field(
            default="example.com",
            pattern=r"^[A-Za-z0-9.-]+$",
            description="A domain reserved by RFC 2606.",
        )
        prefix: str = Field(
            default="u", pattern=r"^[A-Za-z0-9._-]*$", description="What addresses start with."
        )
        digits: int = Field(default=20, ge=_MIN_DIGITS, le=64, description="Hexadecimal digits.")

        @field_validator("domain")
        @classmethod
        def reserved(cls, domain: str) -> str:
            """Refuse a domain that somebody may have."""
            name = domain.lower()
            own = name.endswith(tuple(f".{each}" for each in _RESERVED_NAMES))
            if name in _RESERVED_NAMES or own or name.rpartition(".")[2] in _RESERVED_ENDS:
                return domain
            raise ValueError("is not reserved; use example.com, or a name that ends in .invalid")

    config: Config

    def prepare(self) -> None:
        """Cut the digits to the column."""
        self._end = f"@{self.config.domain}"
        digits, room = self.config.digits, self.room
        if room is not None:
            digits = min(digits, room - len(self.config.prefix) - len(self._end))
        if digits < _MIN_DIGITS:
            raise ValueError(
                f"the column takes {room} characters, too few for an address of "
                f"{self.config.domain}"
            )
        self._digits = digits

    def of_digest(self, digest: bytes) -> str:
        """The address."""
        return f"{self.config.prefix}{digest.hex()[: self._digits]}{self._end}"

    def anonymize_batch(self, values: Any, *others: Any) -> list[str]:
        """The addresses."""
        digits, start, end = self._digits, self.config.prefix, self._end
        return [f"{start}{each[:digits]}{end}" for each in self.key.hex_digests(values)]

    def to_sql(self, column: str, *others: str) -> str | None:
        """The address, computed by the source."""
        source = self.sql_source(column)
        if source is None:
            return None
        digits = f"left(encode({self.key.sql(source)}, 'hex'), {self._digits})"
        # Prefix and domain hold neither quotes nor backslashes.
        return f"'{self.config.prefix}' || {digits} || '{self._end}'"

    def capacity(self) -> int:
        """Four bits a digit."""
        return 16**self._digits
