"""Fiscal codes of Italy: sixteen characters, the last of which checks the others."""

from __future__ import annotations

import re

from confiture_flows.anonymization.detector import ValueDetector, each_value

_FORM = re.compile(r"[A-Z]{6}[\dL-NP-V]{2}[A-EHLMPRST][\dL-NP-V]{2}[A-Z][\dL-NP-V]{3}[A-Z]")
_SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# What a character counts in the first, third, ... place (decree of 23 December 1976).
_ODD_OF_LETTERS = (
    *(1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
)
_ODD = dict(zip(_SIGNS, (*_ODD_OF_LETTERS[:10], *_ODD_OF_LETTERS), strict=True))
_EVEN = {sign: int(sign) if sign.isdigit() else ord(sign) - ord("A") for sign in _SIGNS}


def is_codice_fiscale(value: str) -> bool:
    """Whether it is one."""
    text = value.replace(" ", "").upper()
    if not _FORM.fullmatch(text):
        return False
    total = sum(map(_ODD.__getitem__, text[:15:2])) + sum(map(_EVEN.__getitem__, text[1:15:2]))
    return chr(ord("A") + total % 26) == text[15]


DETECTORS = (
    ValueDetector(
        "Italian fiscal codes", "government id", each_value(is_codice_fiscale), alone=0.97
    ),
)
