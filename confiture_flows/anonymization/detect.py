"""Names, type and comment of a column -> the kind of personal data that it looks like. Pure.

A column's words decide first: those that say it whatever the table is ("email", "geburtsdatum"),
then those that may say it ("name", "notes"), for which the table or the comment has to speak of
people. A type that cannot hold the kind of value outweighs the name. No value is looked at.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confiture_flows.anonymization._personal_words import (
    COUNTABLE,
    OTHERWISE,
    PEOPLE,
    STRONG,
    WEAK,
    phrases,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOOKS_PERSONAL = 0.5  # the score from which on a column is reported

_STRONG, _WEAK = phrases(STRONG), phrases(WEAK)
_LONGEST = max(map(len, (*_STRONG, *_WEAK)))
_PEOPLE, _OTHERWISE, _COUNTABLE = words(PEOPLE), words(OTHERWISE), words(COUNTABLE)

_TEXTS = words("text varchar bpchar citext name")
_DAYS = words("date timestamp timestamptz")
_DOCUMENTS = words("json jsonb xml hstore")
_NUMBERS = words("int2 int4 int8 numeric float4 float8")
_PLACES = words("point geometry geography polygon path")
# What a category's values can be held in, beside documents, which can hold anything.
_HELD_IN: Mapping[str, frozenset[str]] = {
    "e-mail": _TEXTS,
    "name": _TEXTS,
    "phone": _TEXTS | {"int8", "numeric"},
    "address": _TEXTS | {"int4"},
    "birth date": _DAYS | _TEXTS | _NUMBERS,
    "government id": _TEXTS | {"int8", "numeric"},
    "payment": _TEXTS | {"int8", "numeric"},
    "ip": _TEXTS | {"inet", "cidr", "macaddr", "macaddr8"},
    "geo": _PLACES | _NUMBERS | _TEXTS,
    "health": _TEXTS | _NUMBERS,
    "credentials": _TEXTS | {"bytea", "uuid"},
    "free text": _TEXTS,
}
# Types that say it themselves.
_BY_TYPE: Mapping[str, str] = {"inet": "ip", "macaddr": "ip", "macaddr8": "ip", "point": "geo"}
_PROPOSED: Mapping[str, str] = {
    "e-mail": "email",
    "name": "name",
    "phone": "phone",
    "address": "address",
    "birth date": "date-shift",
    "government id": "national-id",
    "payment": "hash",
    "ip": "ip",
    "geo": "number-noise",
    "health": "null",
    "credentials": "null",
    "free text": "free-text",
}


@dataclass(frozen=True, slots=True)
class Likeliness:
    """What a column looks like.

    Attributes:
        category: name, e-mail, phone, address, birth date, government id, payment, ip, geo,
            health, credentials or free text.
        score: How sure it is, above 0 and up to 1.
        why: What says so, in words.
    """

    category: str
    score: float
    why: str

    @property
    def proposed(self) -> str:
        """The strategy that fits the category, before its type is looked at."""
        return _PROPOSED[self.category]


def looks_personal(
    column: str, table: str = "", type_name: str = "text", comment: str | None = None
) -> Likeliness | None:
    """What kind of personal data a column looks like, or None.

    Args:
        column: Its name.
        table: Its table's.
        type_name: As in pg_type, of a domain that of its base type; "[]" at the end of arrays.
        comment: What COMMENT ON says of it.
    """
    named = tuple(words_of(column))
    element = type_name.removesuffix("[]")
    found = max(
        (
            *_by_name(named, tuple(words_of(table)), tuple(words_of(comment or ""))),
            *_by_comment(tuple(words_of(comment or ""))),
            *_by_type(element),
        ),
        key=lambda each: each.score,
        default=None,
    )
    if found is None or not _can_hold(element, found.category):
        return None
    if _speaks_otherwise(named, element):
        return None
    return found if found.score >= LOOKS_PERSONAL else None


def words_of(name: str) -> Iterator[str]:
    """The words of a name: snake_case, camelCase and accents are taken apart."""
    text = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    text = "".join(each for each in text if not unicodedata.combining(each))
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
    return (each.lower() for each in re.findall(r"[A-Za-z]+\d*|\d+", text))


def _runs(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """All words in a row, the longest first."""
    for length in range(min(_LONGEST, len(words)), 0, -1):
        for start in range(len(words) - length + 1):
            yield words[start : start + length]


def _by_name(
    words: tuple[str, ...], table: tuple[str, ...], comment: tuple[str, ...]
) -> Iterator[Likeliness]:
    for run in _runs(words):
        said = " ".join(run)
        if run in _STRONG:
            # What else is in the name makes it less sure.
            yield Likeliness(_STRONG[run], 0.95 - 0.1 * (len(words) - len(run)), f"{said!r}")
        if run in _WEAK:
            about = next((each for each in (*table, *words, *comment) if each in _PEOPLE), None)
            score = (0.7 if about else 0.3) - 0.1 * max(0, len(words) - len(run) - 1)
            of = f" of {about!r}" if about else ""
            yield Likeliness(_WEAK[run], score, f"{said!r}{of}")


def _by_comment(comment: tuple[str, ...]) -> Iterator[Likeliness]:
    for run in _runs(comment):
        # A sentence holds many words; the short ones mean too much else.
        if run in _STRONG and len("".join(run)) > 4:
            yield Likeliness(_STRONG[run], 0.6, f"its comment says {' '.join(run)!r}")


def _by_type(element: str) -> Iterator[Likeliness]:
    if element in _BY_TYPE:
        yield Likeliness(_BY_TYPE[element], 0.6, f"its type is {element}")


def _can_hold(element: str, category: str) -> bool:
    if element in _DOCUMENTS:
        return True
    return element in _HELD_IN[category]


def _speaks_otherwise(words: tuple[str, ...], element: str) -> bool:
    """Whether the name is about the data rather than the data itself: a count, a flag, a key."""
    if _OTHERWISE.intersection(words):
        return True
    if words[-1:] != ("id",) or len(words) == 1:
        return False
    # "user_id" refers to a row; "tax_id" is what a person is known by.
    known = any(words[-length:] in _STRONG for length in range(2, _LONGEST + 1))
    return not known or element in _COUNTABLE | {"uuid"}
