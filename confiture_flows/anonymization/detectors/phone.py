"""Phone numbers: international ones by their form, national ones with separators or brackets."""

from __future__ import annotations

import re

from confiture_flows.anonymization.detector import Samples, ValueDetector, each_value

_INTERNATIONAL = re.compile(r"(?:\+|00)[1-9][\d\s().\-/]{5,22}\d(?:\s*(?:x|ext\.?)\s*\d{1,6})?")
# Groups of digits, one of them in brackets or the first with the 0 of a long-distance call.
_NATIONAL = re.compile(
    r"\(0?\d{2,5}\)[ \-]?\d{2,4}(?:[ \-]?\d{2,4}){1,3}(?:\s*(?:x|ext\.?)\s*\d{1,6})?"
    r"|[2-9]\d{2}([ .\-])\d{3}\1\d{4}(?:\s*(?:x|ext\.?)\s*\d{1,6})?"
    r"|0\d{1,4}(?:[ /\-]\d{2,8}){1,4}"
)
_BARE = re.compile(r"0?[1-9]\d{8,10}")
_INSIDE = re.compile(r"(?<![\w+])\+[1-9]\d{0,2}[ \-(]{0,2}\d[\d ().\-]{5,14}\d(?!\w)")
_DATE = re.compile(r"\d{1,4}([./\-])\d{1,2}\1\d{1,4}")


def is_phone(value: str) -> bool:
    """Whether its form is that of a phone number and of little else."""
    text = value.strip()
    if _DATE.fullmatch(text) or not 7 <= sum(map(str.isdigit, text)) <= 21:
        return False
    if text.startswith(("+", "00")):
        return bool(_INTERNATIONAL.fullmatch(text)) and sum(map(str.isdigit, text)) <= 17
    return bool(_NATIONAL.fullmatch(text))


def is_number(value: str) -> bool:
    """Whether it is as long as a phone number; so are many other numbers."""
    return bool(_BARE.fullmatch(value.strip())) or is_phone(value)


def _full_of_numbers(samples: Samples) -> int:
    return sum(map(is_number, samples.values))


DETECTORS = (
    ValueDetector("phone numbers", "phone", each_value(is_phone), alone=0.85, refutes=True),
    # With a name that speaks of phones only.
    ValueDetector(
        "numbers as long as phone numbers",
        "phone",
        _full_of_numbers,
        alone=0.1,
        types=("text", "int8", "numeric"),
        refutes=True,
    ),
    ValueDetector(
        "texts with a phone number in them",
        "free text",
        each_value(lambda value: " " in value and not is_phone(value) and _INSIDE.search(value)),
        alone=0.85,
        least=0.01,
        full=0.1,
    ),
)
