"""Names, types and comment of a column -> the kind of personal data that it looks like. Pure.

A column's words decide first: those that say it whatever the table is ("email", "geburtsdatum"),
then those that may say it ("name", "notes"), for which the table, the columns beside it or the
comment have to speak of people. A type that cannot hold the kind of value outweighs the name. No
value is looked at.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from confiture_flows.anonymization._name_evidence import evidence, is_elsewhere
from confiture_flows.anonymization._named import Around, Likeliness, is_about_users, named
from confiture_flows.anonymization._personal_surroundings import COUNTABLE, OF_MACHINES
from confiture_flows.anonymization._personal_words import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["LOOKS_PERSONAL", "Around", "Likeliness", "hints", "looks_personal", "proposed_strategy"]

LOOKS_PERSONAL = 0.5  # the score from which on a column is reported

_TEXTS = words("text varchar bpchar citext name")
_DAYS = words("date timestamp timestamptz")
_DOCUMENTS = words("json jsonb xml hstore")
_NUMBERS = words("int2 int4 int8 numeric float4 float8")
_PLACES = words("point geometry geography polygon path")
_COUNTABLE, _OF_MACHINES = words(COUNTABLE), words(OF_MACHINES)
# What a category's values can be held in, beside documents, which can hold anything.
_HELD_IN: Mapping[str, frozenset[str]] = {
    "e-mail": _TEXTS,
    "name": _TEXTS,
    "phone": _TEXTS | {"int8", "numeric"},
    "address": _TEXTS | {"int4"},
    "birth date": _DAYS | _TEXTS | _NUMBERS,
    "government id": _TEXTS | {"int4", "int8", "numeric"},
    "payment": _TEXTS | {"int2", "int4", "int8", "numeric", "bytea", "date"},
    "ip": _TEXTS | {"inet", "cidr", "macaddr", "macaddr8", "bytea"},
    "geo": _PLACES | _NUMBERS | _TEXTS,
    "health": _TEXTS | _NUMBERS | _DAYS,
    "credentials": _TEXTS | {"bytea", "uuid"},
    "identifier": _TEXTS | {"bytea", "uuid", "int4", "int8"},
    "free text": _TEXTS | {"bytea"},
}
_NOTHING = Around()
_KEYS = words("id user_id uid userid")  # of users
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
    "identifier": "hash",
    "free text": "free-text",
}


def proposed_strategy(category: str) -> str:
    """The strategy that fits a category; one of another package's detector is hashed."""
    return _PROPOSED.get(category, "hash")


def looks_personal(
    column: str,
    table: str = "",
    type_name: str = "text",
    comment: str | None = None,
    around: Around = _NOTHING,
) -> Likeliness | None:
    """What kind of personal data a column looks like, or None.

    Args:
        column: Its name.
        table: Its table's.
        type_name: As in pg_type, of a domain that of its base type; "[]" at the end of arrays.
        comment: What COMMENT ON says of it.
        around: What else is known where it is.
    """
    found = hints(column, table, type_name, comment, around)
    return found[0] if found and found[0].score >= LOOKS_PERSONAL else None


def hints(
    column: str,
    table: str = "",
    type_name: str = "text",
    comment: str | None = None,
    around: Around = _NOTHING,
) -> tuple[Likeliness, ...]:
    """All that the names speak of, also what is too weak to be reported without samples.

    Args:
        column: Its name.
        table: Its table's.
        type_name: As in `looks_personal`.
        comment: What COMMENT ON says of it.
        around: What else is known where it is.

    Returns:
        One a category, the surest first.
    """
    element = type_name.removesuffix("[]")
    of = named(column, table, comment, around)
    found: dict[str, Likeliness] = {}
    documents = element in _DOCUMENTS or element == "bytea" or type_name != element
    said = evidence(
        of,
        documents=documents,
        recorded=documents or element in _TEXTS,
        keyed=documents and type_name == element,
        long=type_name == "text" and around.long_texts,
    )
    refers = _refers(of.words, element)
    elsewhere = element not in _COUNTABLE | {"uuid"} or is_elsewhere(of)
    for each in (*said, *_by_type(element, (*of.words, of.subject))):
        if (refers and each.category != "identifier") or (
            each.category == "identifier" and not elsewhere
        ):
            continue
        surer = each.category not in found or found[each.category].score < each.score
        if surer and _can_hold(element, each.category):
            found[each.category] = each
    return tuple(sorted(found.values(), key=lambda each: -each.score))


def around_all(columns: Iterable[tuple[str, str, str]]) -> Around:
    """What the columns of a database say of each of them, but for those beside it.

    Args:
        columns: Name, table and type of all columns.
    """
    known = tuple(columns)
    accounts = [each for each in known if is_about_users(each[1])]
    text_keys = any(name.lower() in _KEYS and kind in _TEXTS for name, _, kind in accounts)
    kinds = Counter(kind for _, _, kind in known)
    # Where half of the texts have a length, one without is meant for more than a word.
    long_texts = kinds["varchar"] >= kinds["text"] > 0
    return Around(text_keys=text_keys, long_texts=long_texts, accounts=bool(accounts))


def _by_type(element: str, said: tuple[str, ...]) -> Iterable[Likeliness]:
    if element in _BY_TYPE:
        score = 0.3 if _OF_MACHINES.intersection(said) else 0.6
        yield Likeliness(_BY_TYPE[element], score, f"its type is {element}")


def _can_hold(element: str, category: str) -> bool:
    if element in _DOCUMENTS:
        return True
    return element in _HELD_IN[category]


def _refers(said: tuple[str, ...], element: str) -> bool:
    """Whether a column refers to a row: "email_id"; of text it may be what a person is called."""
    return said[-1:] == ("id",) and len(said) > 1 and element in _COUNTABLE | {"uuid"}
