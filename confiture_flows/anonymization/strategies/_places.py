"""A locale -> how its addresses are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.anonymization.strategies._words import fitting, words

if TYPE_CHECKING:
    from confiture_flows.anonymization.strategies._words import Locale

_NUMBERS = tuple(map(str, range(1, 200)))
_LONGEST_NUMBER = 3
# What stands between a number and its street, and which comes first.
_NUMBER_FIRST: dict[Locale, str] = {"en": " ", "fr": " "}
_STREET_FIRST: dict[Locale, tuple[str, str]] = {
    "de": (" ", ""),
    "es": (", ", ""),
    "it": (", ", ""),
    "pl": (" ", ""),
    "ja": ("", "番地"),
}


def street_parts(locale: Locale, room: int | None) -> tuple[str | tuple[str, ...], ...]:
    """The lists and texts that make a street's line which a column has room for.

    Raises:
        ValueError: There is none so short.
    """
    between, after = _STREET_FIRST.get(locale, (_NUMBER_FIRST.get(locale, ""), ""))
    if room is not None:
        room -= _LONGEST_NUMBER + len(between) + len(after)
    streets = fitting(words(locale, "streets"), room)
    if locale in _NUMBER_FIRST:
        return (_NUMBERS, between, streets)
    return (streets, between, _NUMBERS, after)
