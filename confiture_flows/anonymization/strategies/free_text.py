"""free-text: what looks like an address or a number of somebody, struck out of a text."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, field_validator

from confiture_flows.anonymization.registry import register_strategy
from confiture_flows.anonymization.strategy import StrategyBase

KindOfMention = Literal["email", "url", "iban", "card", "ip", "phone"]

# In this order: what an earlier one has struck out a later one does not meet.
_PATTERNS: dict[KindOfMention, str] = {
    # Tried where a word begins alone, so that a long word is read once and not from each letter.
    "email": r"(?<![^\s@<>(),;:\"\[\]])[^\s@<>(),;:\"\[\]]+@[^\s@<>(),;:\"\[\]]+\.[^\W\d_]{2,}",
    "url": r"(?:https?|ftp)://[^\s<>\"]+|www\.[^\s<>\"]+",
    "iban": r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b",
    "card": r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)",
    "ip": r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)"
    r"|(?<![\w:])(?:[0-9a-fA-F]{1,4}:){2,7}(?::?[0-9a-fA-F]{1,4})+(?![\w:])"
    r"|(?<![\w:])(?:[0-9a-fA-F]{1,4}:)+:(?:[0-9a-fA-F]{1,4})?(?![\w:])",
    "phone": r"(?<![\w+])(?:\+|00)?\(?\d(?:[ ()./-]{0,2}\d){6,14}(?!\w)",
}


@register_strategy("free-text")
class FreeText(StrategyBase):
    """A text with e-mail addresses, URLs, IBANs, card, telephone and IP numbers struck out.

    It finds what has a form. Names, diagnoses and stories have none: where those may stand, use
    `redact`. Long numbers are struck out rather than left, dates with seven digits or more among
    them.
    """

    keeps = True

    class Config(StrategyBase.Config):
        """Options of free-text."""

        kinds: tuple[KindOfMention, ...] = Field(
            default=tuple(_PATTERNS), min_length=1, description="What is struck out."
        )
        also: tuple[str, ...] = Field(
            default=(), description="Regular expressions of Python for more."
        )
        mark: str = Field(
            default="[{kind}]", description="What stands instead; {kind} is EMAIL, URL, ..."
        )

        @field_validator("also")
        @classmethod
        def readable(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
            """Refuse what is no regular expression, or matches nothing at all."""
            for each in patterns:
                try:
                    empty = re.compile(each).match("") is not None
                except re.error as error:
                    raise ValueError(f"{each!r} is no regular expression: {error}") from None
                if empty:
                    raise ValueError(f"{each!r} matches an empty text")
            return patterns

    config: Config

    def prepare(self) -> None:
        """Compile the patterns."""
        marks = [(kind, _PATTERNS[kind]) for kind in _PATTERNS if kind in self.config.kinds]
        self._rules = [
            (re.compile(pattern), self.config.mark.replace("{kind}", kind.upper()))
            for kind, pattern in (*marks, *(("redacted", each) for each in self.config.also))
        ]

    def anonymize(self, value: str, *others: Any) -> str:
        """The text without them."""
        for pattern, mark in self._rules:
            value = pattern.sub(lambda _, mark=mark: mark, value)
        return value[: self.column.max_length]
