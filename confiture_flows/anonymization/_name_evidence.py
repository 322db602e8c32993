"""The words of a column and of its comment -> what they speak of. Pure.

Each function yields one kind of evidence, with a score of its own; detect.py takes the surest of a
category. What stands after a word decides what a name is about, what stands before it only whose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.anonymization import _personal_surroundings as around
from confiture_flows.anonymization import _personal_words as listed
from confiture_flows.anonymization import _table_evidence as table
from confiture_flows.anonymization._named import (
    KEEPING,
    LIKELY,
    PEOPLE,
    STRONG,
    WEAK,
    Likeliness,
    Named,
    NamePart,
    runs,
    words_of,
)
from confiture_flows.anonymization._personal_words import phrases, telling, words

if TYPE_CHECKING:
    from collections.abc import Iterator

_PERHAPS, _PARTS = words(around.PERHAPS_PEOPLE), words(around.PARTS)
_ADDRESSES, _PLACES = words(around.ADDRESSES), words(around.PLACES)
_THINGS, _OF_MACHINES = words(around.THINGS), words(around.OF_MACHINES)
_MACHINES, _WRITTEN, _RECORDS = map(words, (around.MACHINES, around.WRITTEN, around.RECORDS))
_ASKING, _OF_PROGRAMS = words(around.ASKING), words(around.OF_PROGRAMS)
_PREPARED, _FORMED = words(around.PREPARED), words(around.FORMED)
_HAPPENED = frozenset(phrases({"": around.HAPPENED}))
_OF_THINGS_TOO = frozenset(phrases({"name": listed.OF_THINGS_TOO}))
_NICKNAMES = frozenset(phrases({"name": listed.NICKNAMES}))
_ELSEWHERE = words(listed.ELSEWHERE)
# Of these categories a column beside says that its table is about people.
_OF_PEOPLE = frozenset(("e-mail", "phone", "birth date", "name", "government id"))
_SPACES = frozenset(("address", "geo", "ip"))


def is_elsewhere(of: Named) -> bool:
    """Whether a number is one that a person has at somebody else's."""
    return not _ELSEWHERE.isdisjoint(of.words)


def evidence(
    of: Named, *, documents: bool, recorded: bool, keyed: bool = False, long: bool = False
) -> Iterator[Likeliness]:
    """All that words speak of.

    Args:
        of: The words.
        documents: Whether the column holds documents, arrays or bytes.
        recorded: Whether it can hold what somebody sent: documents, bytes or text.
        keyed: Whether it can hold a key as bytes or as a document.
        long: Whether its type is the one for long texts.
    """
    yield from _by_name(of)
    yield from table.by_table(of)
    yield from table.by_deed(of, long=long)
    if documents:
        yield from table.by_document(of)
    if recorded:
        yield from table.by_record(of)
    if keyed:
        yield from table.by_key(of)
    yield from _by_comment(of.comment)


def _by_name(of: Named) -> Iterator[Likeliness]:
    for run in runs(of.words):
        if run.otherwise:
            continue
        if run.said in STRONG:
            # What else is in the name makes it less sure.
            score = 0.95 - 0.1 * min(3, len(of.words) - len(run.said)) - 0.4 * run.strangers
            category = STRONG[run.said]
            if _elsewhere(of, run, category) or _of_thing(of, run):
                score -= 0.6
            yield Likeliness(category, max(score, 0.0), str(run))
        if run.said in LIKELY and not run.strangers:
            yield Likeliness(LIKELY[run.said], _likely(of, run), str(run))
        if run.said in WEAK:
            yield _by_surroundings(of, run)


def _elsewhere(of: Named, run: NamePart, category: str) -> bool:
    """Whether a place or an address is that of a business, a machine or a thing."""
    if category not in _SPACES or PEOPLE.intersection(run.before):
        return False
    if _PARTS.intersection(run.before):
        return False
    if category == "ip":
        return bool(_OF_MACHINES.intersection((of.subject, *run.before)))
    # Events are held somewhere, or happen to somebody.
    happened = of.subject in _RECORDS and not _HAPPENED.isdisjoint(of.beside)
    return (of.subject in _PLACES and not happened) or bool(_OF_MACHINES.intersection(run.before))


def _of_thing(of: Named, run: NamePart) -> bool:
    """Whether a name that people and things have is a thing's: a repository's full name."""
    return (
        run.said in _OF_THINGS_TOO
        and of.subject in _THINGS
        and not (PEOPLE | _PARTS).intersection(run.before)
    )


def _likely(of: Named, run: NamePart) -> float:
    category = LIKELY[run.said]
    if category == "free text" and _is_not_said(of, run):
        return 0.3
    if category == "name":
        if _OF_PROGRAMS.intersection(run.before[-1:]):
            return 0.2
        return table.unless_key(of)
    return 0.6


def _is_not_said(of: Named, run: NamePart) -> bool:
    """Whether a message, a note or an answer is a program's, a thing's, or one prepared for all."""
    about = tuple(word for word in run.before if word not in _FORMED)
    # Words before it say whose it is: a donation's message in a table of events is a person's.
    machines = about[-1:] or of.table[-1:]
    return (
        bool(_MACHINES.intersection(machines) or _PREPARED.intersection(about))
        or of.subject in _THINGS
        or table.is_template(of)
    )


def _by_surroundings(of: Named, run: NamePart) -> Likeliness:
    """What a word says that needs another one: whose name, whose city."""
    category = WEAK[run.said]
    others = (*run.before, *run.after)
    about = next((each for each in others if each in PEOPLE or each in _PARTS), None)
    about = about or next((each for each in of.comment if each in PEOPLE), None)
    alone = not [word for word in others if word not in KEEPING]
    addressed = category == "address" and not _OF_MACHINES.intersection(run.before)
    if about is None and (alone or (addressed and of.subject not in _PLACES)):
        # Columns beside it tell of the rows, not of every part of them.
        about = _about_people(of, beside=not others or category == "address")
        if about is None and category == "address" and _is_of_addresses(of):
            about = "addresses"
        if about is None and category == "name":
            about = _who_asks(of) or _who_writes(of, run)
    if about is None:
        return Likeliness(category, 0.3, str(run))
    return Likeliness(category, 0.7 - 0.1 * run.strangers, f"{run} of {about!r}")


def _is_of_addresses(of: Named) -> bool:
    """Whether the table holds postal addresses."""
    return bool(_ADDRESSES.intersection(of.table)) and not (
        _OF_MACHINES | _PLACES | {"email", "mail", "e"}
    ).intersection(of.table)


def _who_asks(of: Named) -> str | None:
    """The word of the table that says that a row is what somebody asked for or gave."""
    asked = next((each for each in of.table if each in _ASKING), None)
    return f"who made the {asked}" if asked and ("email",) in of.beside else None


def _who_writes(of: Named, run: NamePart) -> str | None:
    """What the table holds, if it is something that somebody wrote under a nickname."""
    signed = run.said in _NICKNAMES and of.subject in _WRITTEN
    return f"who wrote {of.subject}" if signed else None


def _about_people(of: Named, *, beside: bool = True) -> str | None:
    """The word of the table, or the columns beside, that say that its rows are people."""
    subject = of.subject
    if subject in PEOPLE or not (beside or subject in _PERHAPS):
        return subject or None if subject in PEOPLE else None
    found: dict[str, str] = {}
    for name in sorted(of.around.beside):
        for run in runs(telling(words_of(name))):
            category = STRONG.get(run.said)
            if category in _OF_PEOPLE and not run.otherwise and not run.strangers:
                found.setdefault(category, " ".join(run.said))
    if subject in _PERHAPS and (found or not of.around.beside):
        return subject
    if beside and subject in _WRITTEN and "e-mail" in found:
        return f"who wrote {subject}"
    if beside and len(found) > 1 and subject not in _PLACES | _THINGS:
        return " and ".join(list(found.values())[:2])
    return None


def _by_comment(comment: tuple[str, ...]) -> Iterator[Likeliness]:
    for run in runs(comment):
        # A sentence holds many words; the short ones mean too much else.
        if run.said in STRONG and len("".join(run.said)) > 4:
            yield Likeliness(STRONG[run.said], 0.6, f"its comment says {run}")
