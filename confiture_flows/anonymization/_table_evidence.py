"""The words of a table, and of the columns beside -> what a column of it is. Pure.

What a column called `value` or `body` is only its table says: one of secrets, of what people
write, of settings, of what was sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.anonymization import _personal_surroundings as around
from confiture_flows.anonymization import _personal_words as listed
from confiture_flows.anonymization._named import (
    BODY,
    IN_DOCUMENTS,
    IN_KEEPING,
    RECORDED,
    SENT,
    Likeliness,
    Named,
    runs,
)
from confiture_flows.anonymization._personal_words import phrases, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_KEY_MATERIAL = phrases({"credentials": listed.KEY_MATERIAL})
_USERS, _USER_KEYS = phrases({"name": listed.USERS}), phrases({"": listed.USER_KEYS})
_AT_PROVIDER = phrases({"identifier": listed.AT_PROVIDER})
_ASKED = tuple(frozenset(phrases({"": each})) for each in listed.ASKED)
_SOUGHT = phrases({"free text": around.SOUGHT})
_KEEPERS, _KEYS_TO = words(around.KEEPERS), words(around.KEYS_TO)
_OTHER_KEYS, _LETTING_IN = words(around.OTHER_KEYS), words(around.LETTING_IN)
_THINGS, _WRITTEN, _RECORDS = map(words, (around.THINGS, around.WRITTEN, around.RECORDS))
_SEARCHES, _BUILDERS = words(around.SEARCHES), words(around.BUILDERS)
_REASONED, _NOBODY, _MACHINES = map(words, (around.REASONED, around.NOBODY, around.MACHINES))
_TEMPLATES, _TEMPLATE_ROWS = words(around.TEMPLATES), words(around.TEMPLATE_ROWS)
_OF_PROGRAMS, _FORMED = words(around.OF_PROGRAMS), words(around.FORMED)
_INTEGRATED, _OPTIONS = words(around.INTEGRATED), words(around.OPTIONS)
_SETTINGS = phrases({"credentials": around.SETTINGS})
# Subjects of tables, what is called so in them, and what it is.
_IN_TABLES = tuple(
    (words(tables), phrases({category: said}))
    for tables, category, said in (
        (around.CONNECTIONS, "credentials", around.SETTINGS),
        (around.SUBSCRIPTIONS, "credentials", around.SUBSCRIBED),
        (around.CARDS, "payment", around.OF_CARD),
        (around.PAYMENTS, "payment", around.OF_PAYMENT),
        (around.MAILS, "e-mail", around.OF_MAIL),
        (around.RAISED, "free text", around.CALLED),
    )
)
_FORMS = words("json jsonb raw text html")  # of a document, at the end of its name


def is_template(of: Named) -> bool:
    """Whether the rows are prepared for many: templates, canned answers, examples."""
    return not _TEMPLATES.isdisjoint(of.table) or of.subject in _TEMPLATE_ROWS


def unless_key(of: Named) -> float:
    """How sure a text is what somebody is called, where it may be the key of a row too."""
    return 0.35 if of.around.text_keys else 0.6


def by_table(of: Named) -> Iterator[Likeliness]:
    """What a column says in a table of secrets, of connections, or of what people write."""
    subject, table = of.subject, " ".join(of.table)
    said = " ".join(of.words)
    for found in (*_in_keeping(of), *_of_settings(of)):
        yield Likeliness("credentials", found, f"{said!r} of {table!r}")
    for tables, columns in _IN_TABLES:
        if subject in tables and of.words in columns:
            yield Likeliness(columns[of.words], 0.6, f"{said!r} of {table!r}")
    if of.words in _AT_PROVIDER and ("provider",) in of.beside:
        yield Likeliness("identifier", 0.6, f"{said!r} beside 'provider'")
    if subject in _THINGS or is_template(of):
        return
    kept = subject in _RECORDS and _WRITTEN.intersection(of.table)  # "email_logs"
    if (of.words in BODY or _bare(of) in BODY) and (subject in _WRITTEN or kept):
        yield Likeliness("free text", 0.65, f"{said!r} of {table!r}")
    if of.words in _SOUGHT and _SEARCHES.intersection(of.table):
        yield Likeliness("free text", 0.6, f"{said!r} of {table!r}")


def _in_keeping(of: Named) -> Iterator[float]:
    """How sure it is what a table of tokens, secrets or invitations is there for."""
    keys = of.subject == "keys" and not _KEYS_TO.isdisjoint(of.table)
    is_name = of.words == ("key",) and ("value",) in of.beside
    if of.words in IN_KEEPING and not is_name and (keys or of.subject in _KEEPERS):
        yield 0.75
    if of.words == ("code",) and not _LETTING_IN.isdisjoint(of.table):
        yield 0.6


def _of_settings(of: Named) -> Iterator[float]:
    """How sure a value of settings is: of a program's, by name, or of a connection's."""
    is_value = of.words[-1:] == ("value",) and len(of.words) < 3
    if is_value and of.subject in _OPTIONS and not of.beside.isdisjoint((("key",), ("name",))):
        # Those of a person are colours and languages.
        yield 0.3 if ("user", "id") in of.beside else 0.55
    if of.words in _SETTINGS and not _INTEGRATED.isdisjoint(of.table):
        yield 0.6


def _bare(of: Named) -> tuple[str, ...]:
    """Words without the table's and those of a form before: "processed message content"."""
    said = of.words
    while len(said) > 1 and (said[0] in _FORMED or of.subject in (said[0], f"{said[0]}s")):
        said = said[1:]
    return said


def by_key(of: Named) -> Iterator[Likeliness]:
    """Bytes that are called a key."""
    a_key = of.words[-1:] == ("key",) and not _OTHER_KEYS.intersection(of.words)
    if a_key or of.words in _KEY_MATERIAL:
        yield Likeliness("credentials", 0.6, f"{' '.join(of.words)!r} as bytes or a document")


def by_deed(of: Named, *, long: bool) -> Iterator[Likeliness]:
    """Who did something, and what for: "installed_by", "void_reason".

    Args:
        of: The words.
        long: Whether its type is the one for long texts, so that a reason is put in words.
    """
    said = repr(" ".join(of.words))
    if of.words in _USERS:
        yield Likeliness("name", unless_key(of), said)
    if of.words in _USER_KEYS and not of.around.accounts:
        yield Likeliness("identifier", 0.6, f"{said} where users have no rows")
    by_program = _MACHINES | _BUILDERS | _THINGS
    if of.words == ("reason",) and long and not by_program.intersection(of.table[-1:]):
        yield Likeliness("free text", 0.6, f"{said} as a long text")
    if len(of.words) < 2:
        return
    deed, last = of.words[-2], of.words[-1]
    if last == "by" and deed not in _NOBODY:
        yield Likeliness("name", unless_key(of), repr(f"{deed} by"))
    if last == "reason" and not _REASONED.intersection(of.words):
        yield Likeliness("free text", 0.6, repr(f"{deed} reason"))


def by_document(of: Named) -> Iterator[Likeliness]:
    """What documents, arrays or bytes are by their name."""
    yield from _whole(of, IN_DOCUMENTS)


def by_record(of: Named) -> Iterator[Likeliness]:
    """What is kept as it came: payloads, and what was asked beside what was answered."""
    if _BUILDERS.intersection(of.table) or is_template(of):
        return
    yield from _whole(of, RECORDED)
    said = of.words[:-1] if len(of.words) > 1 and of.words[-1] in _FORMS else of.words
    if said in SENT and of.subject in _RECORDS:
        yield Likeliness("free text", 0.6, f"{' '.join(said)!r} of {of.subject!r}")
    for mine, other in (_ASKED, _ASKED[::-1]):
        if of.words[-1:] in mine and len(of.words) < 3 and (found := sorted(of.beside & other)):
            answer = " ".join(found[0])
            yield Likeliness("free text", 0.6, f"{' '.join(of.words)!r} beside {answer!r}")


def _whole(of: Named, said: Mapping[tuple[str, ...], str]) -> Iterator[Likeliness]:
    """Names that end with words of a list."""
    for run in runs(of.words):
        programs = _OF_PROGRAMS.intersection(run.before)
        if run.said in said and not (run.after or run.otherwise or programs):
            yield Likeliness(said[run.said], 0.6, str(run))
