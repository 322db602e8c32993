"""PESEL of Poland: eleven digits that start with a birth date and end with a check digit."""

from __future__ import annotations

from datetime import date

from confiture_flows.anonymization.detector import ValueDetector, digits_of, each_value

_WEIGHTS = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)
# The century is added to the month.
_CENTURIES = {80: 1800, 0: 1900, 20: 2000, 40: 2100, 60: 2200}


def is_pesel(value: str) -> bool:
    """Whether it is one whose birth date there is."""
    digits = digits_of(value)
    if len(digits) != 11:
        return False
    month = int(digits[2:4])
    try:
        date(_CENTURIES[month // 20 * 20] + int(digits[:2]), month % 20, int(digits[4:6]))
    except ValueError:
        return False
    total = sum(int(each) * weight for each, weight in zip(digits, _WEIGHTS, strict=False))
    return (10 - total % 10) % 10 == int(digits[10])


DETECTORS = (
    ValueDetector(
        "Polish PESEL numbers",
        "government id",
        each_value(is_pesel),
        alone=0.95,
        types=("text", "int8", "numeric"),
    ),
)
