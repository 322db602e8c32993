"""The words of a column, of its table and of its comment -> what they speak of. Pure.

Each function yields one kind of evidence, with a score of its own; detect.py takes the surest of a
category. What stands after a word decides what a name is about, what stands before it only whose.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confiture_flows.anonymization import _personal_surroundings as around
from confiture_flows.anonymization import _personal_words as listed
from confiture_flows.anonymization._personal_words import phrases, telling, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_STRONG, _LIKELY, _WEAK = phrases(listed.STRONG), phrases(listed.LIKELY), phrases(listed.WEAK)
_IN_DOCUMENTS, _RECORDED = phrases(listed.IN_DOCUMENTS), phrases(listed.RECORDED)
_ASKED = tuple(frozenset(phrases({"": each})) for each in listed.ASKED)
_IN_KEEPING = phrases({"credentials": around.IN_KEEPING})
_BODY, _SENT = phrases({"free text": around.BODY}), phrases({"free text": around.SENT})
_SOUGHT = phrases({"free text": around.SOUGHT})
_LISTS = (_STRONG, _LIKELY, _WEAK, _IN_DOCUMENTS, _RECORDED, _IN_KEEPING, _BODY, _SENT)
_LONGEST = max(map(len, (each for one in _LISTS for each in one)))
_PEOPLE, _PERHAPS, _PARTS = map(words, (around.PEOPLE, around.PERHAPS_PEOPLE, around.PARTS))
_OTHERWISE, _FLAGS, _KEEPING = map(words, (around.OTHERWISE, around.FLAGS, around.KEEPING))
_GENERAL, _ADDRESSES = words(around.GENERAL), words(around.ADDRESSES)
_PLACES, _THINGS, _OF_MACHINES = map(words, (around.PLACES, around.THINGS, around.OF_MACHINES))
_MACHINES, _REASONED, _NOBODY = map(words, (around.MACHINES, around.REASONED, around.NOBODY))
_WRITTEN, _RECORDS, _SEARCHES = map(words, (around.WRITTEN, around.RECORDS, around.SEARCHES))
_KEEPERS, _KEYS_TO = words(around.KEEPERS), words(around.KEYS_TO)
_OF_PROGRAMS, _BUILDERS = words(around.OF_PROGRAMS), words(around.BUILDERS)
_KEY_MATERIAL = phrases({"credentials": listed.KEY_MATERIAL})
_USERS, _ELSEWHERE = phrases({"name": listed.USERS}), words(listed.ELSEWHERE)
_OTHER_KEYS = words(around.OTHER_KEYS)
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
_KNOWN = frozenset(word for one in _LISTS for each in one for word in each) | _PEOPLE | _OTHERWISE
_ACCOUNTS = words("user users account accounts member members")
# Of these categories a column beside says that its table is about people.
_OF_PEOPLE = frozenset(("e-mail", "phone", "birth date", "name", "government id"))
_SPACES = frozenset(("address", "geo", "ip"))


@dataclass(frozen=True, slots=True)
class Likeliness:
    """What a column looks like.

    Attributes:
        category: name, e-mail, phone, address, birth date, government id, payment, ip, geo,
            health, credentials, identifier or free text.
        score: How sure it is, above 0 and up to 1.
        why: What says so, in words.
    """

    category: str
    score: float
    why: str


@dataclass(frozen=True, slots=True)
class Around:
    """What else is known where a column is.

    Attributes:
        beside: The names of the other columns of its table.
        text_keys: Whether people are known by keys of text there, so that a text may be a key.
    """

    beside: frozenset[str] = frozenset()
    text_keys: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """The words of a column and of what stands around it.

    Attributes:
        words: Of its name.
        table: Of its table's.
        comment: Of its comment.
        around: What else is there.
    """

    words: tuple[str, ...]
    table: tuple[str, ...]
    comment: tuple[str, ...]
    around: Around

    @property
    def subject(self) -> str:
        """The word of the table that says what its rows are: the last that is not general."""
        kept = self.table
        while kept and (kept[-1] in _GENERAL or kept[-1].isdigit()):
            kept = kept[:-1]
        return kept[-1] if kept else ""


def named(column: str, table: str, comment: str | None, beside: Around) -> Named:
    """Take names apart."""
    return Named(
        telling(words_of(column)), tuple(words_of(table)), telling(words_of(comment or "")), beside
    )


def words_of(name: str) -> Iterator[str]:
    """The words of a name: snake_case, camelCase and accents are taken apart."""
    text = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    text = "".join(each for each in text if not unicodedata.combining(each))
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
    return (each.lower() for each in re.findall(r"[A-Za-z]+\d*|\d+", text))


def is_elsewhere(of: Named) -> bool:
    """Whether a number is one that a person has at somebody else's."""
    return not _ELSEWHERE.isdisjoint(of.words)


def is_about_users(table: str) -> bool:
    """Whether the rows of a table are those who use the system."""
    said = Named((), tuple(words_of(table)), (), Around())
    return said.subject in _ACCOUNTS


def evidence(
    of: Named, *, documents: bool, recorded: bool, keyed: bool = False
) -> Iterator[Likeliness]:
    """All that words speak of.

    Args:
        of: The words.
        documents: Whether the column holds documents, arrays or bytes.
        recorded: Whether it can hold what somebody sent: documents, bytes or text.
        keyed: Whether it can hold a key as bytes or as a document.
    """
    yield from _by_name(of)
    yield from _by_table(of)
    yield from _by_deed(of)
    if documents:
        yield from _whole(of, _IN_DOCUMENTS)
    if recorded:
        yield from _by_record(of)
    if keyed:
        yield from _by_key(of)
    yield from _by_comment(of.comment)


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
        known = _KEEPING | _PEOPLE
        return sum(1 for word in self.after if word not in known)

    def __str__(self) -> str:
        return repr(" ".join(self.said))


def _runs(said: tuple[str, ...]) -> Iterator[_Run]:
    """All words in a row, the longest first; a plural or a number at the end is no other word."""
    plain = tuple(map(_plain, said))
    for length in range(min(_LONGEST, len(said)), 0, -1):
        for start in range(len(said) - length + 1):
            end = start + length
            yield _Run(plain[start:end], said[:start], said[end:])
            if said[start:end] != plain[start:end]:
                yield _Run(said[start:end], said[:start], said[end:])


def _plain(word: str) -> str:
    if word in _KNOWN:
        return word
    bare = word.rstrip("0123456789")
    found = (each for each in (bare, bare.removesuffix("s"), bare.removesuffix("es")) if each)
    return next((each for each in found if each in _KNOWN), word)


def _by_name(of: Named) -> Iterator[Likeliness]:
    for run in _runs(of.words):
        if run.otherwise:
            continue
        if run.said in _STRONG:
            # What else is in the name makes it less sure.
            score = 0.95 - 0.1 * min(3, len(of.words) - len(run.said)) - 0.4 * run.strangers
            category = _STRONG[run.said]
            if category in _SPACES and _elsewhere(of, run):
                score -= 0.6
            yield Likeliness(category, max(score, 0.0), str(run))
        if run.said in _LIKELY and not run.strangers:
            yield Likeliness(_LIKELY[run.said], _likely(of, run), str(run))
        if run.said in _WEAK:
            yield _by_surroundings(of, run)


def _elsewhere(of: Named, run: _Run) -> bool:
    """Whether a place or an address is that of a business, a machine or a thing."""
    if _PEOPLE.intersection(run.before) or _PARTS.intersection(run.before):
        return False
    if _STRONG[run.said] == "ip":
        return bool(_OF_MACHINES.intersection((of.subject, *run.before)))
    return of.subject in _PLACES or bool(_OF_MACHINES.intersection(run.before))


def _likely(of: Named, run: _Run) -> float:
    category = _LIKELY[run.said]
    if category == "free text" and (
        _MACHINES.intersection((*run.before[-1:], *of.table[-1:])) or of.subject in _THINGS
    ):
        return 0.3
    if category == "name":
        if _OF_PROGRAMS.intersection(run.before[-1:]):
            return 0.2
        return _unless_key(of)
    return 0.6


def _unless_key(of: Named) -> float:
    """How sure a text is what somebody is called, where it may be the key of a row too."""
    return 0.35 if of.around.text_keys else 0.6


def _by_surroundings(of: Named, run: _Run) -> Likeliness:
    """What a word says that needs another one: whose name, whose city."""
    category = _WEAK[run.said]
    others = (*run.before, *run.after)
    about = next((each for each in others if each in _PEOPLE or each in _PARTS), None)
    about = about or next((each for each in of.comment if each in _PEOPLE), None)
    alone = not [word for word in others if word not in _KEEPING]
    if about is None and (alone or (category == "address" and of.subject not in _PLACES)):
        # Columns beside it tell of the rows, not of every part of them.
        about = _about_people(of, beside=not others or category == "address")
        if about is None and category == "address" and _is_of_addresses(of):
            about = "addresses"
    if about is None:
        return Likeliness(category, 0.3, str(run))
    return Likeliness(category, 0.7 - 0.1 * run.strangers, f"{run} of {about!r}")


def _is_of_addresses(of: Named) -> bool:
    """Whether the table holds postal addresses."""
    return bool(_ADDRESSES.intersection(of.table)) and not (
        _OF_MACHINES | _PLACES | {"email", "mail", "e"}
    ).intersection(of.table)


def _about_people(of: Named, *, beside: bool = True) -> str | None:
    """The word of the table, or the columns beside, that say that its rows are people."""
    subject = of.subject
    if subject in _PEOPLE or not (beside or subject in _PERHAPS):
        return subject or None if subject in _PEOPLE else None
    found: dict[str, str] = {}
    for name in sorted(of.around.beside):
        for run in _runs(telling(words_of(name))):
            category = _STRONG.get(run.said)
            if category in _OF_PEOPLE and not run.otherwise and not run.strangers:
                found.setdefault(category, " ".join(run.said))
    if subject in _PERHAPS and (found or not of.around.beside):
        return subject
    if beside and subject in _WRITTEN and "e-mail" in found:
        return f"who wrote {subject}"
    if beside and len(found) > 1 and subject not in _PLACES | _THINGS:
        return " and ".join(list(found.values())[:2])
    return None


def _by_table(of: Named) -> Iterator[Likeliness]:
    """What a column says in a table of secrets, of connections, or of what people write."""
    subject, table = of.subject, " ".join(of.table)
    said = " ".join(of.words)
    keys = subject == "keys" and not _KEYS_TO.isdisjoint(of.table)
    is_name = of.words == ("key",) and "value" in of.around.beside
    if of.words in _IN_KEEPING and not is_name and (keys or subject in _KEEPERS):
        yield Likeliness("credentials", 0.75, f"{said!r} of {table!r}")
    for tables, columns in _IN_TABLES:
        if subject in tables and of.words in columns:
            yield Likeliness(columns[of.words], 0.6, f"{said!r} of {table!r}")
    if subject in _THINGS:
        return
    kept = subject in _RECORDS and _WRITTEN.intersection(of.table)  # "email_logs"
    if of.words in _BODY and (subject in _WRITTEN or kept):
        yield Likeliness("free text", 0.65, f"{said!r} of {table!r}")
    if of.words in _SOUGHT and _SEARCHES.intersection(of.table):
        yield Likeliness("free text", 0.6, f"{said!r} of {table!r}")


def _by_key(of: Named) -> Iterator[Likeliness]:
    """Bytes that are called a key."""
    a_key = of.words[-1:] == ("key",) and not _OTHER_KEYS.intersection(of.words)
    if a_key or of.words in _KEY_MATERIAL:
        yield Likeliness("credentials", 0.6, f"{' '.join(of.words)!r} as bytes or a document")


def _by_deed(of: Named) -> Iterator[Likeliness]:
    """Who did something, and what for: "installed_by", "void_reason"."""
    if of.words in _USERS:
        yield Likeliness("name", _unless_key(of), repr(" ".join(of.words)))
    if len(of.words) < 2:
        return
    deed, last = of.words[-2], of.words[-1]
    if last == "by" and deed not in _NOBODY:
        yield Likeliness("name", _unless_key(of), repr(f"{deed} by"))
    if last == "reason" and not _REASONED.intersection(of.words):
        yield Likeliness("free text", 0.6, repr(f"{deed} reason"))


def _by_record(of: Named) -> Iterator[Likeliness]:
    """What is kept as it came: payloads, and what was asked beside what was answered."""
    if _BUILDERS.intersection(of.table):
        return
    yield from _whole(of, _RECORDED)
    said = of.words[:-1] if len(of.words) > 1 and of.words[-1] in _FORMS else of.words
    if said in _SENT and of.subject in _RECORDS:
        yield Likeliness("free text", 0.6, f"{' '.join(said)!r} of {of.subject!r}")
    beside = {telling(words_of(each)) for each in of.around.beside}
    for mine, other in (_ASKED, _ASKED[::-1]):
        if of.words[-1:] in mine and len(of.words) < 3 and (found := sorted(beside & other)):
            answer = " ".join(found[0])
            yield Likeliness("free text", 0.6, f"{' '.join(of.words)!r} beside {answer!r}")


def _whole(of: Named, said: Mapping[tuple[str, ...], str]) -> Iterator[Likeliness]:
    """Names that end with words of a list."""
    for run in _runs(of.words):
        programs = _OF_PROGRAMS.intersection(run.before)
        if run.said in said and not (run.after or run.otherwise or programs):
            yield Likeliness(said[run.said], 0.6, str(run))


def _by_comment(comment: tuple[str, ...]) -> Iterator[Likeliness]:
    for run in _runs(comment):
        # A sentence holds many words; the short ones mean too much else.
        if run.said in _STRONG and len("".join(run.said)) > 4:
            yield Likeliness(_STRONG[run.said], 0.6, f"its comment says {run}")
