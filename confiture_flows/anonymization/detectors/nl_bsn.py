"""Citizen service numbers of the Netherlands: nine digits and the test of eleven."""

from __future__ import annotations

from confiture_flows.anonymization.detector import ValueDetector, digits_of, each_value

_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)


def is_bsn(value: str) -> bool:
    """Whether it is one."""
    digits = digits_of(value)
    if len(digits) != 9 or len(set(digits)) == 1:
        return False
    return sum(int(each) * weight for each, weight in zip(digits, _WEIGHTS, strict=True)) % 11 == 0


DETECTORS = (
    ValueDetector(
        "Dutch citizen service numbers",
        "government id",
        each_value(is_bsn),
        alone=0.85,
        least=0.8,
        types=("text", "integer", "numeric"),
    ),
)
