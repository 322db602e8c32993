"""Numbers of payment cards: the issuer's first digits, its lengths, and Luhn's check digit.

One in ten numbers passes Luhn by chance, so nearly all samples have to.
"""

from __future__ import annotations

import re

from confiture_flows.anonymization.detector import ValueDetector, digits_of, each_value

# First digits and lengths, as the issuers publish them (ISO/IEC 7812).
_ISSUERS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|(?:5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|[689]\d)\d{11}"  # Diners Club
    r"|6(?:011|5\d{2}|4[4-9]\d)\d{12}"  # Discover
    r"|35(?:2[89]|[3-8]\d)\d{12}"  # JCB
    r"|62\d{14,17}"  # UnionPay
    r"|(?:50|5[6-8]|6[0-9])\d{10,17}"  # Maestro
)


def passes_luhn(digits: str) -> bool:
    """Whether the last digit checks the others.

    Args:
        digits: Nothing but digits.
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (1 + place % 2)
        total += number - 9 if number > 9 else number
    return total % 10 == 0


def is_card(value: str) -> bool:
    """Whether it is a number that a card could have."""
    digits = digits_of(value, " -")
    return bool(_ISSUERS.fullmatch(digits)) and len(set(digits)) > 1 and passes_luhn(digits)


DETECTORS = (
    ValueDetector(
        "numbers of payment cards",
        "payment",
        each_value(is_card),
        alone=0.9,
        least=0.8,
        types=("text", "int8", "numeric"),
    ),
)
