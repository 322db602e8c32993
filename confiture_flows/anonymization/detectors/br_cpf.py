"""CPF of Brazil: eleven digits, two of which check the others."""

from __future__ import annotations

from confiture_flows.anonymization.detector import ValueDetector, digits_of, each_value


def is_cpf(value: str) -> bool:
    """Whether it is one."""
    digits = digits_of(value, ".-")
    if len(digits) != 11 or len(set(digits)) == 1:
        return False
    for size in (9, 10):
        total = sum(int(each) * (size + 1 - place) for place, each in enumerate(digits[:size]))
        if total * 10 % 11 % 10 != int(digits[size]):
            return False
    return True


DETECTORS = (
    ValueDetector("Brazilian CPF numbers", "government id", each_value(is_cpf), alone=0.95),
)
