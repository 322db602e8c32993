"""Check digits: Luhn, ISO 7064 MOD 97-10 and MOD 11,10."""

from __future__ import annotations

# What a digit that is doubled adds to the sum.
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn(digits: str) -> str:
    """The check digit that follows the digits of a card's number."""
    numbers = list(map(int, reversed(digits)))
    return str(-(sum(_DOUBLED[each] for each in numbers[::2]) + sum(numbers[1::2])) % 10)


def iban_check(country: str, account: str) -> str:
    """The two check digits of an IBAN; letters count from 10 for A."""
    number = int("".join(str(int(each, 36)) for each in f"{account}{country}00"))
    return f"{98 - number % 97:02}"


def mod_11_10(digits: str) -> str:
    """The check digit of ISO 7064 MOD 11,10."""
    product = 10
    for each in digits:
        product = (int(each) + product) % 10 or 10
        product = product * 2 % 11
    return str((11 - product) % 10)
