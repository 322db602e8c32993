"""Social security numbers of France (NIR), with the key of 97 (INSEE)."""

from __future__ import annotations

import re

from confiture_flows.anonymization.detector import ValueDetector, each_value

_FORM = re.compile(r"([1-478])(\d{2})(\d{2})(\d{2}|2[AB])(\d{6})(\d{2})")


def is_nir(value: str) -> bool:
    """Whether it is one with its key."""
    found = _FORM.fullmatch(re.sub(r"[ .\-]", "", value).upper())
    if not found:
        return False
    department = {"2A": "19", "2B": "18"}.get(found[4], found[4])
    number = int(found[1] + found[2] + found[3] + department + found[5])
    return 97 - number % 97 == int(found[6])


DETECTORS = (
    ValueDetector(
        "French social security numbers",
        "government id",
        each_value(is_nir),
        alone=0.97,
        types=("text", "int8", "numeric"),
    ),
)
