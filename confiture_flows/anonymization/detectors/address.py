"""Postal addresses: a street with its number, in the ways that seven languages write it."""

from __future__ import annotations

import re

from confiture_flows.anonymization.detector import ValueDetector, each_value

_ENGLISH = (
    r"\b\d{1,6}[A-Za-z]?,?\s+(?:[\w.'-]+\s+){1,5}(?:street|st|avenue|ave|road|rd|boulevard|blvd|"
    r"lane|ln|drive|dr|court|ct|place|pl|square|sq|terrace|way|close|crescent|highway|hwy|parkway|"
    r"pkwy|trail|circle|cir|row|mews|grove|gardens)\b\.?"
)
_BEFORE = (
    r"(?:\b\d{1,5}\s?(?:bis|ter)?,?\s+)?\b(?:rue|avenue|boulevard|all[ée]e|chemin|impasse|quai|"
    r"calle|avenida|avda\.?|plaza|paseo|carrera|via|viale|piazza|corso|vicolo|ulica|ul\.|aleja|al\.|"
    r"osiedle|rua|travessa|pra[çc]a)\s+[\w.'\u2019 -]{2,50}"
)
_JOINED = (
    r"\b[\w.'\u2019-]*(?:straße|strasse|str\.|weg|platz|allee|gasse|damm|ring|ufer|straat|laan|plein|"
    r"gatan|vägen|gade|vej)\s+\d{1,4}\s?[a-z]?\b"
)
_JAPANESE = r"[都道府県市区町村].{0,20}(?:\d|丁目|番地)"
_BOX = r"\bp\.?\s?o\.?\s?box\s+\d+|\bpostfach\s+\d+"
_STREET = re.compile("|".join((_ENGLISH, _JOINED, _JAPANESE, _BOX)), re.IGNORECASE)
_WITH_NUMBER = re.compile(_BEFORE, re.IGNORECASE)
_UK_POSTCODE = re.compile(r"(?:GIR 0AA|[A-Z]{1,2}\d[A-Z\d]? ?\d[ABD-HJLNP-UW-Z]{2})", re.IGNORECASE)
_CODE = re.compile(
    r"\d{5}(?:-\d{4})?|\d{2}-\d{3}|\d{4} ?[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d|\d{3}-\d{4}"
)
_LONGEST = 200


def is_address(value: str) -> bool:
    """Whether a street with a number, or a box, stands in a short text."""
    if not 6 <= len(value) <= _LONGEST or not any(map(str.isdigit, value)):
        return False
    return bool(_STREET.search(value) or _WITH_NUMBER.search(value))


def is_postcode(value: str) -> bool:
    """Whether it has the form of a postal code; most are plain numbers."""
    text = value.strip()
    return bool(_UK_POSTCODE.fullmatch(text) or _CODE.fullmatch(text.upper()))


DETECTORS = (
    ValueDetector(
        "addresses with a street", "address", each_value(is_address), alone=0.9, least=0.4, full=0.7
    ),
    # With a name that speaks of addresses only.
    ValueDetector("postal codes", "address", each_value(is_postcode), alone=0.1),
)
