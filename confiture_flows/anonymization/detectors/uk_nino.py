"""National Insurance numbers of the United Kingdom (HMRC, NIM39110)."""

from __future__ import annotations

import re

from confiture_flows.anonymization.detector import ValueDetector, each_value

_FORM = re.compile(r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]")


def is_nino(value: str) -> bool:
    """Whether it is one, with or without spaces."""
    return bool(_FORM.fullmatch(value.replace(" ", "").upper()))


DETECTORS = (
    ValueDetector("UK National Insurance numbers", "government id", each_value(is_nino), alone=0.9),
)
