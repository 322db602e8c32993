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

from confiture_flows.anonymization import _personal_words as listed
from confiture_flows.anonymization._personal_words import phrases, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOOKS_PERSONAL = 0.5  # the score from which on a column is reported

_STRONG, _LIKELY, _WEAK = phrases(listed.STRONG), phrases(listed.LIKELY), phrases(listed.WEAK)
_IN_KEEPING = phrases({"credentials": listed.IN_KEEPING})
_BODY = phrases({"free text": listed.BODY})
_LONGEST = max(map(len, (*_STRONG, *_LIKELY, *_WEAK)))
_PEOPLE, _OTHERWISE, _COUNTABLE = map(words, (listed.PEOPLE, listed.OTHERWISE, listed.COUNTABLE))
_FLAGS, _KEEPING, _GENERAL = map(words, (listed.FLAGS, listed.KEEPING, listed.GENERAL))
_MACHINES, _WRITTEN = words(listed.MACHINES), words(listed.WRITTEN)
_KEEPERS, _KEYS_TO = words(listed.KEEPERS), words(listed.KEYS_TO)

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
        return proposed_strategy(self.category)


def proposed_strategy(category: str) -> str:
    """The strategy that fits a category; one of another package's detector is hashed."""
    return _PROPOSED.get(category, "hash")


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
    found = hints(column, table, type_name, comment)
    return found[0] if found and found[0].score >= LOOKS_PERSONAL else None


def hints(
    column: str, table: str = "", type_name: str = "text", comment: str | None = None
) -> tuple[Likeliness, ...]:
    """All that the names speak of, also what is too weak to be reported without samples.

    Args:
        column: Its name.
        table: Its table's.
        type_name: As in `looks_personal`.
        comment: What COMMENT ON says of it.

    Returns:
        One a category, the surest first.
    """
    named = tuple(words_of(column))
    element = type_name.removesuffix("[]")
    if _refers(named, element):
        return ()
    said = tuple(words_of(comment or ""))
    found: dict[str, Likeliness] = {}
    for each in (
        *_by_name(named, tuple(words_of(table)), said),
        *_by_comment(said),
        *_by_type(element),
    ):
        surer = each.category not in found or found[each.category].score < each.score
        if surer and _can_hold(element, each.category):
            found[each.category] = each
    return tuple(sorted(found.values(), key=lambda each: -each.score))


def words_of(name: str) -> Iterator[str]:
    """The words of a name: snake_case, camelCase and accents are taken apart."""
    text = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    text = "".join(each for each in text if not unicodedata.combining(each))
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
    return (each.lower() for each in re.findall(r"[A-Za-z]+\d*|\d+", text))


@dataclass(frozen=True, slots=True)
class _Run:
    """Words in a row of a name, and what stands around them."""

    said: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def otherwise(self) -> bool:
        """Whether the name is about something else: a count, a flag, a template."""
        return bool(_FLAGS.intersection(self.before) or _OTHERWISE.intersection(self.after))

    @property
    def strangers(self) -> int:
        """How many words after it make it something that nobody knows: "token_bucket"."""
        return sum(1 for word in self.after if word not in _KEEPING)

    def __str__(self) -> str:
        return repr(" ".join(self.said))


def _runs(words: tuple[str, ...]) -> Iterator[_Run]:
    """All words in a row, the longest first."""
    for length in range(min(_LONGEST, len(words)), 0, -1):
        for start in range(len(words) - length + 1):
            end = start + length
            yield _Run(words[start:end], words[:start], words[end:])


def _by_name(
    words: tuple[str, ...], table: tuple[str, ...], comment: tuple[str, ...]
) -> Iterator[Likeliness]:
    for run in _runs(words):
        if run.otherwise:
            continue
        if run.said in _STRONG:
            # What else is in the name makes it less sure.
            score = 0.95 - 0.1 * min(3, len(words) - len(run.said)) - 0.4 * run.strangers
            yield Likeliness(_STRONG[run.said], max(score, 0.0), str(run))
        if run.said in _LIKELY and not run.strangers:
            by_machine = _MACHINES.intersection((*run.before[-1:], *table[-1:]))
            if not (by_machine and _LIKELY[run.said] == "free text"):
                yield Likeliness(_LIKELY[run.said], 0.6, str(run))
        if run.said in _WEAK:
            yield _by_surroundings(run, table, comment)
    yield from _by_table(words, table)


def _by_surroundings(run: _Run, table: tuple[str, ...], comment: tuple[str, ...]) -> Likeliness:
    """What a word says that needs another one: whose name, whose city."""
    others = (*run.before, *run.after)
    about = next((each for each in (*others, *comment) if each in _PEOPLE), None)
    if about is None and not [word for word in others if word not in _KEEPING]:
        about = next((each for each in _subject(table) if each in _PEOPLE), None)
    if about is None:
        return Likeliness(_WEAK[run.said], 0.3, str(run))
    return Likeliness(_WEAK[run.said], 0.7 - 0.1 * run.strangers, f"{run} of {about!r}")


def _subject(table: tuple[str, ...]) -> tuple[str, ...]:
    """The word of a table's name that says what its rows are: the last that is not general."""
    kept = table
    while kept and (kept[-1] in _GENERAL or kept[-1].isdigit()):
        kept = kept[:-1]
    return kept[-1:]


def _by_table(words: tuple[str, ...], table: tuple[str, ...]) -> Iterator[Likeliness]:
    """What a column says in a table of secrets, or of what people write."""
    of = _subject(table)
    keys = of == ("keys",) and not _KEYS_TO.isdisjoint(table)
    if words in _IN_KEEPING and of and (keys or of[0] in _KEEPERS):
        yield Likeliness("credentials", 0.75, f"{' '.join(words)!r} of {' '.join(table)!r}")
    if words in _BODY and of and of[0] in _WRITTEN:
        yield Likeliness("free text", 0.6, f"{' '.join(words)!r} of {of[0]!r}")


def _by_comment(comment: tuple[str, ...]) -> Iterator[Likeliness]:
    for run in _runs(comment):
        # A sentence holds many words; the short ones mean too much else.
        if run.said in _STRONG and len("".join(run.said)) > 4:
            yield Likeliness(_STRONG[run.said], 0.6, f"its comment says {run}")


def _by_type(element: str) -> Iterator[Likeliness]:
    if element in _BY_TYPE:
        yield Likeliness(_BY_TYPE[element], 0.6, f"its type is {element}")


def _can_hold(element: str, category: str) -> bool:
    if element in _DOCUMENTS:
        return True
    return element in _HELD_IN[category]


def _refers(words: tuple[str, ...], element: str) -> bool:
    """Whether a column refers to a row: "email_id"; of text it may be what a person is called."""
    return words[-1:] == ("id",) and len(words) > 1 and element in _COUNTABLE | {"uuid"}
