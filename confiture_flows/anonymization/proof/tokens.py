"""A batch of texts -> the tokens by which a value copied into one of them is found. Pure.

A token is a run of eight signs or more without spaces and quotes that is no plain word, what looks
like a telephone number with its spaces, and a string of a JSON document; of tokens that look like
base64 or hexadecimal digits, what they stand for too. Text that is encoded twice, encrypted,
compressed or cut into parts is out of reach, and so is a value of several words within a longer
text.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Shorter values are found everywhere by chance.
SHORTEST = 8

# Splitting by what stands between tokens costs a tenth of a regular expression for them.
_BETWEEN = str.maketrans(dict.fromkeys("\"',;:<>(){}[]|\\", " "))
# Written so that it fails early, and for ASCII: half the time of \d and {6,28}.
_NUMBER = re.compile(r"[+(0-9][0-9 ()./-]{6}[0-9 ()./-]{0,22}[0-9]")
# What stands between the strings of a document comes along, and is nobody's value.
_STRING = re.compile(r'"([^"]{8,1000})(?=")')
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{11,}={0,2}")
_HEX = re.compile(r"(?:\\?x)?((?:[0-9a-f]{2}){8,}|(?:[0-9A-F]{2}){8,})")
_EMAIL = re.compile(r"[\w.+%-]{1,64}@[\w-]+(?:\.[\w-]+)+")
_DAY = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{2}")
# By E.164 a number has 15 at the most.
_LEAST_DIGITS, _MOST_DIGITS = 8, 15
_STRIPPED = ".!?*=&/"
# A document in base64 is no value of a column.
_LONGEST = 1000


def tokens_of(text: str, *, json: bool) -> set[str]:
    """The tokens of many values, joined by line feeds.

    Args:
        text: The values.
        json: Whether they are documents, whose strings are tokens as they are.
    """
    found: set[str] = set()
    for run in set(_runs(text)):
        if len(run) > _LONGEST:
            continue
        stripped = run.strip(_STRIPPED)
        # A plain word in letters is no token, and may still be base64.
        if len(stripped) >= SHORTEST and not stripped.isalpha():
            found.add(stripped)
            if "=" in stripped:
                found.update(_long(re.split("[=&]", stripped)))
        if _BASE64.fullmatch(run):  # of hexadecimal digits as well
            found.update(_decoded(run))
    found.update(_NUMBER.findall(text))
    if json:
        found.update(_STRING.findall(text))
    return found


def count_emails(tokens: set[str]) -> int:
    """How many tokens are an e-mail address by their form."""
    return sum(1 for each in tokens if "@" in each and _EMAIL.fullmatch(each))


def count_phones(tokens: set[str]) -> int:
    """How many tokens are a telephone number by their form: with a country's or a trunk code."""
    return sum(1 for each in tokens if each[0] in "+(0" and _is_phone(each))


def _is_phone(token: str) -> bool:
    digits = sum(map(str.isdigit, token))
    return (
        _LEAST_DIGITS <= digits <= _MOST_DIGITS
        and _NUMBER.fullmatch(token) is not None
        and (token[0] == "+" or (not token.isdigit() and not _DAY.match(token)))
    )


def _runs(text: str) -> list[str]:
    return _long(text.translate(_BETWEEN).split())


def _long(parts: list[str]) -> list[str]:
    return [each for each in parts if len(each) >= SHORTEST]


def _decoded(run: str) -> Iterator[str]:
    for text in (_text_of(_unhexed(run)), _text_of(_unbased(run))):
        if text is not None:
            yield text
            yield from (each.strip(_STRIPPED) for each in _runs(text) if each != text)


def _unhexed(run: str) -> bytes | None:
    match = _HEX.fullmatch(run)
    return bytes.fromhex(match[1]) if match else None


def _unbased(run: str) -> bytes | None:
    bare = run.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _text_of(data: bytes | None) -> str | None:
    """Text, unless it is not: few runs that are no base64 decode to printable UTF-8."""
    if data is None:
        return None
    try:
        text = data.decode("utf-8").strip("\r\n")
    except UnicodeDecodeError:
        return None
    return text if len(text) >= SHORTEST and text.isprintable() else None
