"""Names of people: words with capital letters, one of which a dictionary knows as a first name."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

from confiture_flows.anonymization.detector import ValueDetector, each_value

_WORD = r"[^\W\d_]+(?:['\u2019\-][^\W\d_]+)*\.?"
_FORM = re.compile(rf"{_WORD}(?:(?:,\s*|\s+){_WORD}){{0,4}}")
_LONGEST = 60
_DATA = "confiture_flows.anonymization.strategies"


@cache
def known_words(kind: str) -> frozenset[str]:
    """The words of the dictionaries of all languages, in small letters.

    Args:
        kind: "first_names" or "last_names".
    """
    folder = resources.files(_DATA).joinpath("_data")
    return frozenset(
        line.strip().lower()
        for locale in folder.iterdir()
        for line in locale.joinpath(f"{kind}.txt").read_text("utf-8").splitlines()
        if line.strip()
    )


def is_full_name(value: str) -> bool:
    """Whether it is several words, of which one is a first name."""
    return " " in value.strip() and _is_name(value, known_words("first_names"))


def is_name(value: str) -> bool:
    """Whether one of its words, or the only one, is a first or a last name."""
    return _is_name(value, known_words("first_names") | known_words("last_names"))


def _is_name(value: str, known: frozenset[str]) -> bool:
    text = value.strip()
    if len(text) > _LONGEST or not _FORM.fullmatch(text):
        return False
    words = re.findall(_WORD, text)
    # People write their names large, or all small, or in letters that have no sizes.
    if any(word[0].islower() for word in words[:1]) and any(word[0].isupper() for word in words):
        return False
    parts = (part for word in words for part in (word, *word.split("-")))
    return any(part.rstrip(".").lower() in known for part in parts)


# Products are called Jordan and cities Victoria: a share of the samples, never one of them.
DETECTORS = (
    ValueDetector(
        "full names with a known first name",
        "name",
        each_value(is_full_name),
        alone=0.75,
        least=0.25,
        full=0.5,
    ),
    ValueDetector(
        "known first or last names", "name", each_value(is_name), alone=0.6, least=0.35, full=0.6
    ),
)
