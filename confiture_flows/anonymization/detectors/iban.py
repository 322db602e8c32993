"""IBANs: country, length and the remainder of 97 (ISO 13616)."""

from __future__ import annotations

import re

from confiture_flows.anonymization.detector import ValueDetector, each_value

_FORM = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
# The lengths of the registry that SWIFT keeps; others are judged by the remainder alone.
_LENGTHS = {
    each[:2]: int(each[2:])
    for each in [
        "AD24",
        "AE23",
        "AT20",
        "BE16",
        "BG22",
        "CH21",
        "CY28",
        "CZ24",
        "DE22",
        "DK18",
        "EE20",
        "ES24",
        "FI18",
        "FR27",
        "GB22",
        "GR27",
        "HR21",
        "HU28",
        "IE22",
        "IS26",
        "IT27",
        "LI21",
        "LT20",
        "LU20",
        "LV21",
        "MC27",
        "MT31",
        "NL18",
        "NO15",
        "PL28",
        "PT25",
        "RO24",
        "SA24",
        "SE24",
        "SI19",
        "SK24",
        "SM27",
        "TR26",
    ]
}


def is_iban(value: str) -> bool:
    """Whether it is an IBAN."""
    text = value.replace(" ", "").upper()
    if not _FORM.fullmatch(text) or _LENGTHS.get(text[:2], len(text)) != len(text):
        return False
    return int("".join(str(int(each, 36)) for each in text[4:] + text[:4])) % 97 == 1


DETECTORS = (ValueDetector("IBANs", "payment", each_value(is_iban), alone=0.97),)
