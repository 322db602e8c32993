"""Dates and timestamps as PostgreSQL writes them <-> days; all of its range, BC too."""

from __future__ import annotations

import re
from datetime import date

from confiture_flows.anonymization.strategy import UnfitValue

_WRITTEN = re.compile(r"(\d{4,7})-(\d\d)-(\d\d)((?: \d\d:\d\d:\d\d.*?)?)( BC)?", re.ASCII)
# The whole days that PostgreSQL's types hold, with date.toordinal's numbers.
_FIRST = -1721424  # 4714-11-25 BC
_LAST = {"date": 2145042540, "timestamp": 107390234, "timestamptz": 107390234}
_EASY_FIRST, _EASY_LAST = 1, date.max.toordinal()


def read_day(text: str) -> tuple[int, str]:
    """Split a date or timestamp.

    Returns:
        The day's number, that of 0001-01-01 being 1, and the text of the time after it.

    Raises:
        UnfitValue: It is infinity, or written otherwise.
    """
    try:
        return date.fromisoformat(text[:10]).toordinal(), _time(text[10:])
    except ValueError:
        pass
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise UnfitValue
    year = int(match[1])
    return ordinal(1 - year if match[5] else year, int(match[2]), int(match[3])), match[4]


def write_day(day: int, time: str, type_name: str) -> str:
    """Join what `read_day` split.

    Raises:
        UnfitValue: The type does not reach so far.
    """
    if _EASY_FIRST <= day <= _EASY_LAST:
        return date.fromordinal(day).isoformat() + time
    if not _FIRST <= day <= _LAST.get(type_name, _EASY_LAST):
        raise UnfitValue
    year, month, of_month = civil(day)
    era = " BC" if year < 1 else ""
    return f"{1 - year if year < 1 else year:04}-{month:02}-{of_month:02}{time}{era}"


def civil(day: int) -> tuple[int, int, int]:
    """The year (0 is 1 BC), month and day of the month of a day's number.

    The Gregorian calendar repeats every 146,097 days, which are 400 years.
    """
    cycles, rest = divmod(day - 1, 146_097)
    easy = date.fromordinal(rest + 1)
    return easy.year + 400 * cycles, easy.month, easy.day


def ordinal(year: int, month: int, day: int) -> int:
    """The day's number of a year (0 is 1 BC), month and day."""
    cycles, rest = divmod(year - 1, 400)
    try:
        return date(rest + 1, month, day).toordinal() + 146_097 * cycles
    except ValueError:
        raise UnfitValue from None


def _time(text: str) -> str:
    if text and (text[0] != " " or text.endswith("BC")):
        raise ValueError
    return text
