"""Birth dates: days whose ages are those of people, spread as people's are.

When something was hired, founded or published is a day too; such days crowd in the last years.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from statistics import pstdev

from confiture_flows.anonymization.detector import Samples, ValueDetector

_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[ T]00:00:00(?:\.0+)?(?:Z|[+-]00(?::?00)?)?)?")
_OTHER = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})")
_OLDEST, _YEAR = 115, 365.25
_MANY = 10


def ages(samples: Samples) -> list[float]:
    """The years since each sample that is a day and no moment; others are left out."""
    today = datetime.now(UTC).date()
    days = (day_of(value) for value in samples.values)
    return [(today - day).days / _YEAR for day in days if day]


def day_of(value: str) -> date | None:
    """The day that is written, in ISO's order or with the year last."""
    if found := _DAY.fullmatch(value.strip()):
        year, month, day = int(found[1]), int(found[2]), int(found[3])
    elif found := _OTHER.fullmatch(value.strip()):
        year, day, month = int(found[4]), int(found[1]), int(found[3])
        if month > 12:
            day, month = month, day
    else:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _possible(samples: Samples) -> int:
    return sum(0 < age < _OLDEST for age in ages(samples))


def _spread(samples: Samples) -> int:
    """All of them, when together they look like people's; otherwise none."""
    found = [age for age in ages(samples) if 0 < age < _OLDEST]
    if len(found) < _MANY or len(found) < 0.9 * len(samples.values):
        return 0
    young = sum(age < 3 for age in found) / len(found)
    middle = sorted(found)[len(found) // 2]
    typical = young <= 0.05 and 18 <= middle <= 75 and pstdev(found) >= 9
    return len(found) if typical and samples.distinct >= 0.7 * len(samples.values) else 0


DETECTORS = (
    ValueDetector(
        "days spread as birth dates are",
        "birth date",
        _spread,
        alone=0.6,
        types=("text", "date", "timestamp", "timestamptz"),
    ),
    ValueDetector(
        "days within a lifetime",
        "birth date",
        _possible,
        alone=0.1,
        types=("text", "date", "timestamp", "timestamptz"),
        refutes=True,
    ),
)
