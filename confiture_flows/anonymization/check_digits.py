"""Check digits: Luhn, ISO 7064 MOD 97-10 and MOD 11,10."""

from __future__ import annotations

from functools import cache

# What a digit that is doubled adds to the sum.
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


@cache
def _luhn_sums() -> tuple[int, ...]:
    """The sum of each four digits, of which the second and the last are doubled."""
    pairs = [tens + _DOUBLED[ones] for tens in range(10) for ones in range(10)]
    return tuple(high + low for high in pairs for low in pairs)


def luhn(digits: str) -> str:
    """The check digit that follows the digits of a card's number."""
    sums, total, number = _luhn_sums(), 0, int(digits)
    while number:
        number, four = divmod(number, 10_000)
        total += sums[four]
    return str(-total % 10)


def iban_check(country: str, account: str) -> str:
    """The two check digits of an IBAN; letters count from 10 for A."""
    if not account.isdigit():
        account = "".join(str(int(each, 36)) for each in account)
    first, second = country
    number = int(f"{account}{int(first, 36)}{int(second, 36)}00")
    return f"{98 - number % 97:02}"


def mod_11_10(digits: str) -> str:
    """The check digit of ISO 7064 MOD 11,10."""
    product = 10
    for each in digits:
        product = (int(each) + product) % 10 or 10
        product = product * 2 % 11
    return str((11 - product) % 10)
