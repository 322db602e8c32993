"""Columns of values <-> bytes, without pickle. Pure.

Text, as most strategies take and give it, is one string whose values are parted by NUL, which
PostgreSQL's text cannot hold. Everything else is written value by value, each with a tag.
"""

from __future__ import annotations

import datetime
import ipaddress
import json
import struct
import uuid
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_COLUMN = struct.Struct(">cII")
_VALUE = struct.Struct(">cI")
_JOINED, _SINGLE = b"T", b"V"
_DEEPEST = 32

# Tag, type, how it is written, how it is read. A subclass comes before its base.
_PLAIN: tuple[tuple[bytes, type, Callable[[Any], str], Callable[[str], Any]], ...] = (
    (b"S", str, str, str),
    (b"b", bool, lambda value: "1" if value else "", bool),
    (b"I", int, str, int),
    (b"F", float, repr, float),
    (b"D", Decimal, str, Decimal),
    (b"d", datetime.datetime, datetime.datetime.isoformat, datetime.datetime.fromisoformat),
    (b"y", datetime.date, datetime.date.isoformat, datetime.date.fromisoformat),
    (b"t", datetime.time, datetime.time.isoformat, datetime.time.fromisoformat),
    (
        b"v",
        datetime.timedelta,
        lambda value: f"{value.days} {value.seconds} {value.microseconds}",
        lambda text: datetime.timedelta(*map(int, text.split(" "))),
    ),
    (b"u", uuid.UUID, str, uuid.UUID),
    (b"J", dict, json.dumps, json.loads),
    (b"i", ipaddress.IPv4Interface, str, ipaddress.IPv4Interface),
    (b"k", ipaddress.IPv6Interface, str, ipaddress.IPv6Interface),
    (b"a", ipaddress.IPv4Address, str, ipaddress.IPv4Address),
    (b"c", ipaddress.IPv6Address, str, ipaddress.IPv6Address),
    (b"n", ipaddress.IPv4Network, str, ipaddress.IPv4Network),
    (b"m", ipaddress.IPv6Network, str, ipaddress.IPv6Network),
)
_READERS = {tag: read for tag, _type, _write, read in _PLAIN}
_EXACT = {kind: (tag, write) for tag, kind, write, _read in _PLAIN}


class UnknownValueError(TypeError):
    """A value of a type that cannot be handed over."""


class BrokenValuesError(ValueError):
    """Bytes that are no values."""


def pack(columns: Sequence[Sequence[Any]]) -> bytes:
    """Columns of equal length -> bytes.

    Raises:
        UnknownValueError: A value is of a type that has no form here.
    """
    return b"".join(map(_packed, columns))


def unpack(data: bytes | memoryview) -> list[list[Any]]:
    """What `pack` made -> its columns.

    Raises:
        BrokenValuesError: It is something else.
    """
    columns: list[list[Any]] = []
    place = 0
    try:
        while place < len(data):
            form, count, size = _COLUMN.unpack_from(data, place)
            place += _COLUMN.size
            part = data[place : place + size]
            place += size
            if len(part) != size:
                raise BrokenValuesError("it is cut off")
            columns.append(_joined(part, count) if form == _JOINED else _singles(part, count))
    except BrokenValuesError:
        raise
    except (ValueError, TypeError, struct.error, KeyError, InvalidOperation) as error:
        # The text of the cause may hold a value.
        raise BrokenValuesError(f"a {type(error).__name__} while it was read") from None
    except (RecursionError, OverflowError, MemoryError) as error:
        raise BrokenValuesError(f"a {type(error).__name__} while it was read") from None
    return columns


def _packed(values: Sequence[Any]) -> bytes:
    count = len(values)
    if count:
        try:
            text = "\0".join(values)
        except TypeError:
            text = None
        if text is not None and text.count("\0") == count - 1:
            data = text.encode("utf-8", "surrogatepass")
            return _COLUMN.pack(_JOINED, count, len(data)) + data
    data = b"".join(_single(value, 0) for value in values)
    return _COLUMN.pack(_SINGLE, count, len(data)) + data


def _joined(part: bytes | memoryview, count: int) -> list[Any]:
    found = str(part, "utf-8", "surrogatepass").split("\0")
    if len(found) != count:
        raise BrokenValuesError(f"it says {count:,} values and holds {len(found):,}")
    return found


def _single(value: Any, depth: int) -> bytes:
    if value is None:
        return _VALUE.pack(b"N", 0)
    if isinstance(value, bytes | bytearray | memoryview):
        data = bytes(value)
        return _VALUE.pack(b"B", len(data)) + data
    if isinstance(value, list | tuple):
        if depth == _DEEPEST:
            raise UnknownValueError("lists lie too deep in one another")
        data = b"".join(_single(each, depth + 1) for each in value)
        return _VALUE.pack(b"A", len(data)) + data
    known = _EXACT.get(type(value)) or next(
        ((tag, write) for tag, kind, write, _read in _PLAIN if isinstance(value, kind)), None
    )
    if known is None:
        raise UnknownValueError(f"there is no form for a {type(value).__name__}")
    tag, write = known
    try:
        data = write(value).encode("utf-8", "surrogatepass")
    except (TypeError, ValueError, RecursionError):  # a dict that is no JSON
        raise UnknownValueError(f"there is no form for this {type(value).__name__}") from None
    return _VALUE.pack(tag, len(data)) + data


def _singles(part: bytes | memoryview, count: int | None, depth: int = 0) -> list[Any]:
    found: list[Any] = []
    place = 0
    while place < len(part):
        tag, size = _VALUE.unpack_from(part, place)
        place += _VALUE.size
        data = bytes(part[place : place + size])
        place += size
        if len(data) != size:
            raise BrokenValuesError("it is cut off")
        found.append(_value(tag, data, depth))
    if count is not None and len(found) != count:
        raise BrokenValuesError(f"it says {count:,} values and holds {len(found):,}")
    return found


def _value(tag: bytes, data: bytes, depth: int) -> Any:
    if tag == b"N":
        return None
    if tag == b"B":
        return data
    if tag == b"A":
        if depth == _DEEPEST:
            raise BrokenValuesError("lists lie too deep in one another")
        return _singles(data, None, depth + 1)
    return _READERS[tag](data.decode("utf-8", "surrogatepass"))
