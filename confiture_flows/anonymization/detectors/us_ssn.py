"""Social Security numbers of the United States; they have a structure, but no check digit."""

from __future__ import annotations

import re

from confiture_flows.anonymization.detector import ValueDetector, each_value

# Area 000, 666 and 900 to 999, group 00 and serial 0000 are never given (SSA, randomization).
_WRITTEN = re.compile(r"(?!000|666|9\d\d)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}")
_BARE = re.compile(r"(?!000|666|9\d\d)\d{3}(?!00)\d{2}(?!0000)\d{4}")


def is_ssn(value: str) -> bool:
    """Whether it is written as one, with its separators."""
    return bool(_WRITTEN.fullmatch(value.strip()))


DETECTORS = (
    ValueDetector("US social security numbers", "government id", each_value(is_ssn), alone=0.9),
    # With a name that speaks of one only.
    ValueDetector(
        "numbers as long as US social security numbers",
        "government id",
        each_value(lambda value: _BARE.fullmatch(value.strip())),
        alone=0.1,
        types=("text", "integer"),
    ),
)
