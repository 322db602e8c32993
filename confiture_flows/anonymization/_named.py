"""The names of a column, of its table and of those beside it, taken apart into words. Pure.

Which words there are is listed in _personal_words and _personal_surroundings; what they speak of
is told by _name_evidence and _table_evidence.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from confiture_flows.anonymization import _personal_surroundings as around
from confiture_flows.anonymization import _personal_words as listed
from confiture_flows.anonymization._personal_words import phrases, telling, words

if TYPE_CHECKING:
    from collections.abc import Iterator

STRONG, LIKELY, WEAK = phrases(listed.STRONG), phrases(listed.LIKELY), phrases(listed.WEAK)
IN_DOCUMENTS, RECORDED = phrases(listed.IN_DOCUMENTS), phrases(listed.RECORDED)
IN_KEEPING = phrases({"credentials": around.IN_KEEPING})
BODY, SENT = phrases({"free text": around.BODY}), phrases({"free text": around.SENT})
PEOPLE, KEEPING, GENERAL = words(around.PEOPLE), words(around.KEEPING), words(around.GENERAL)
_OTHERWISE, _FLAGS = words(around.OTHERWISE), words(around.FLAGS)
_LISTS = (STRONG, LIKELY, WEAK, IN_DOCUMENTS, RECORDED, IN_KEEPING, BODY, SENT)
_LONGEST = max(map(len, (each for one in _LISTS for each in one)))
_KNOWN = frozenset(word for one in _LISTS for each in one for word in each) | PEOPLE | _OTHERWISE
_ACCOUNTS = words("user users account accounts member members")


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
        long_texts: Whether short texts have a type of their own there, so that `text` is long.
        accounts: Whether those who use the system have rows there.
    """

    beside: frozenset[str] = frozenset()
    text_keys: bool = False
    long_texts: bool = False
    accounts: bool = True


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
        while kept and (kept[-1] in GENERAL or kept[-1].isdigit()):
            kept = kept[:-1]
        return kept[-1] if kept else ""

    @property
    def beside(self) -> frozenset[tuple[str, ...]]:
        """The words of the columns beside."""
        return frozenset(map(_told, self.around.beside))


def named(column: str, table: str, comment: str | None, beside: Around) -> Named:
    """Take names apart."""
    return Named(
        telling(words_of(column)), tuple(words_of(table)), telling(words_of(comment or "")), beside
    )


@lru_cache(maxsize=4096)  # each column of a table asks for all beside it
def _told(name: str) -> tuple[str, ...]:
    return telling(words_of(name))


def words_of(name: str) -> Iterator[str]:
    """The words of a name: snake_case, camelCase and accents are taken apart."""
    text = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    text = "".join(each for each in text if not unicodedata.combining(each))
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
    return (each.lower() for each in re.findall(r"[A-Za-z]+\d*|\d+", text))


@lru_cache(maxsize=4096)  # each column asks for its table
def is_about_users(table: str) -> bool:
    """Whether the rows of a table are those who use the system."""
    said = Named((), tuple(words_of(table)), (), Around())
    return said.subject in _ACCOUNTS


@dataclass(frozen=True, slots=True)
class NamePart:
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
        known = KEEPING | PEOPLE
        return sum(1 for word in self.after if word not in known)

    def __str__(self) -> str:
        return repr(" ".join(self.said))


def runs(said: tuple[str, ...]) -> Iterator[NamePart]:
    """All words in a row, the longest first; a plural or a number at the end is no other word."""
    plain = tuple(map(_plain, said))
    for length in range(min(_LONGEST, len(said)), 0, -1):
        for start in range(len(said) - length + 1):
            end = start + length
            yield NamePart(plain[start:end], said[:start], said[end:])
            if said[start:end] != plain[start:end]:
                yield NamePart(said[start:end], said[:start], said[end:])


def _plain(word: str) -> str:
    if word in _KNOWN:
        return word
    bare = word.rstrip("0123456789")
    found = (each for each in (bare, bare.removesuffix("s"), bare.removesuffix("es")) if each)
    return next((each for each in found if each in _KNOWN), word)
