"""Tax identification numbers of Germany: eleven digits, ISO 7064 MOD 11,10, one digit repeated."""

from __future__ import annotations

from collections import Counter

from confiture_flows.anonymization.check_digits import mod_11_10
from confiture_flows.anonymization.detector import ValueDetector, digits_of, each_value


def is_steuer_id(value: str) -> bool:
    """Whether it is one: of its first ten digits one comes two or three times."""
    digits = digits_of(value)
    if len(digits) != 11 or digits[0] == "0":
        return False
    times = Counter(Counter(digits[:10]).values())
    if times[2] + times[3] != 1 or set(times) - {1, 2, 3}:
        return False
    return mod_11_10(digits[:10]) == digits[10]


DETECTORS = (
    ValueDetector(
        "German tax numbers",
        "government id",
        each_value(is_steuer_id),
        alone=0.95,
        types=("text", "int8", "numeric"),
    ),
)
