"""Identity numbers of Spain: DNI and NIE, with the letter of 23."""

from __future__ import annotations

import re

from confiture_flows.anonymization.detector import ValueDetector, each_value

_FORM = re.compile(r"([XYZ]|\d)(\d{7})([A-Z])")
_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"


def is_dni(value: str) -> bool:
    """Whether it is a DNI or a NIE."""
    found = _FORM.fullmatch(re.sub(r"[ .\-]", "", value).upper())
    if not found:
        return False
    first = {"X": "0", "Y": "1", "Z": "2"}.get(found[1], found[1])
    return _LETTERS[int(first + found[2]) % 23] == found[3]


DETECTORS = (
    ValueDetector("Spanish identity numbers", "government id", each_value(is_dni), alone=0.95),
)
