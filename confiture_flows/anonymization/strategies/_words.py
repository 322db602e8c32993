"""A locale and a kind of word -> the list in _data/LOCALE/KIND.txt, a word a line."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

Locale = Literal["en", "de", "fr", "es", "it", "pl", "ja"]
Kind = Literal["first_names", "last_names", "cities", "streets", "companies", "company_forms"]

_DATA = Path(__file__).parent / "_data"


@cache
def words(locale: Locale, kind: Kind) -> tuple[str, ...]:
    """The words of a list, in the order of its file, which decides what a digest picks."""
    lines = (_DATA / locale / f"{kind}.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line)


def fitting(texts: tuple[str, ...], room: int | None) -> tuple[str, ...]:
    """Those of the texts that a column has room for.

    Raises:
        ValueError: None is.
    """
    found = texts if room is None else tuple(each for each in texts if len(each) <= room)
    if not found:
        raise ValueError("the column takes fewer characters than the shortest has")
    return found
