"""Coordinates: pairs in text, points, and single numbers precise enough for a house."""

from __future__ import annotations

import re

from confiture_flows.anonymization.detector import ValueDetector, each_value

_NUMBER = r"[+-]?\d{1,3}\.\d{2,}"
_PAIR = re.compile(rf"(?:POINT ?)?[(\[]?\s*({_NUMBER})\s*[,; ]\s*({_NUMBER})\s*[)\]]?")
# The fourth decimal of a degree is eleven metres.
_PRECISE = re.compile(r"[+-]?\d{1,3}\.\d{4,}")


def is_pair(value: str) -> bool:
    """Whether it is latitude and longitude, in either order."""
    found = _PAIR.fullmatch(value.strip())
    if not found:
        return False
    first, second = abs(float(found[1])), abs(float(found[2]))
    return min(first, second) <= 90 and max(first, second) <= 180


def is_degree(value: str) -> bool:
    """Whether it may be a latitude or a longitude; so may other fractions."""
    text = value.strip()
    return bool(_PRECISE.fullmatch(text)) and abs(float(text)) <= 180


DETECTORS = (
    ValueDetector("coordinates", "geo", each_value(is_pair), alone=0.8, types=("text", "point")),
    ValueDetector(
        "fractions of degrees",
        "geo",
        each_value(is_degree),
        alone=0.1,
        types=("text", "float4", "float8", "numeric"),
    ),
)
