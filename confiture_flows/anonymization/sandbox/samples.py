"""The type of a column -> values that may stand in it, to try a strategy on. Pure."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from confiture_flows.anonymization.strategy import Column, Form

_TEXT = (
    "Ada Lovelace",
    "ada@example.org",
    "+44 20 7946 0958",
    "x",
    "",
    "Zoë 李 \U0001f600",
    "two\nlines\tand 'quotes' \\",
    "1815-12-10",
    "word " * 40,
)
_INTEGERS, _NUMBERS = ("0", "1", "-7", "32000"), ("0", "1.5", "-2.25", "1000.00")
_DAYS = ("2000-02-29", "1815-12-10", "1999-12-31")
_MOMENTS = ("2000-02-29 12:00:00", "1999-12-31 23:59:59.999999")
_SAMPLES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("text", "varchar", "bpchar", "citext", "name"), _TEXT),
    **dict.fromkeys(("int2", "int4", "int8"), _INTEGERS),
    **dict.fromkeys(("numeric", "float4", "float8"), _NUMBERS),
    "bool": ("t", "f"),
    "date": _DAYS,
    "timestamp": _MOMENTS,
    "timestamptz": tuple(f"{each}+00" for each in _MOMENTS),
    "uuid": ("00000000-0000-0000-0000-000000000000", "123e4567-e89b-12d3-a456-426614174000"),
    **dict.fromkeys(("json", "jsonb"), ("{}", '{"name": "Ada"}', '["a", 1, null]')),
    "inet": ("192.0.2.1", "2001:db8::1"),
    "bytea": ("\\x", "\\x00ff"),
}


def _moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text.replace("+00", "+00:00"))


def samples(column: Column, takes: Form) -> list[Any]:
    """Values of a column's type; empty where none are known.

    Args:
        column: The column.
        takes: Whether as text or as psycopg's objects.
    """
    texts = column.labels or _SAMPLES.get(column.type, ())
    if column.max_length is not None:
        texts = tuple(text[: column.max_length] for text in texts)
    if takes == "text":
        return list(texts)
    readers: dict[str, Any] = {
        **dict.fromkeys(("int2", "int4", "int8"), int),
        **dict.fromkeys(("float4", "float8"), float),
        "numeric": Decimal,
        "bool": lambda text: text == "t",
        "date": datetime.date.fromisoformat,
        "timestamp": _moment,
        "timestamptz": _moment,
        "uuid": uuid.UUID,
        "bytea": lambda text: bytes.fromhex(text[2:]),
        **dict.fromkeys(("text", "varchar", "bpchar", "citext", "name"), str),
    }
    # Of json, objects are as likely as arrays; which of them the strategy takes is not known.
    read = readers.get(column.type)
    return [read(text) for text in texts] if read else []
