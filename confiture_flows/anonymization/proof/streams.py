"""A query of 64-bit numbers -> arrays of them, or one of texts -> the texts; column by column.

The server puts what it reads of some pages into one row, a field a column: a row of COPY costs this
process as much as hashing a column of it. What cannot be gathered like this comes row by row, in
the same form.
"""

from __future__ import annotations

import struct
import sys
from array import array
from typing import TYPE_CHECKING, LiteralString

from psycopg import sql

from confiture_flows.anonymization.copying.pipe import CopyReader
from confiture_flows.errors import CopyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg import Connection

_BATCH = 1 << 19
_SIGNATURE = b"PGCOPY"
_HEADER = 19
_COUNT = struct.Struct(">h")
_LENGTH = struct.Struct(">i")


def gathered(numbers: Sequence[sql.Composable]) -> sql.Composed:
    """The fields of a query that reads so few rows that their numbers fit one row.

    Args:
        numbers: Expressions of type bigint that are never NULL.
    """
    return _fields("pg_catalog.string_agg(pg_catalog.int8send({}), ''::pg_catalog.bytea)", numbers)


def row_by_row(numbers: Sequence[sql.Composable]) -> sql.Composed:
    """The fields of a query whose numbers come as its rows come."""
    return _fields("pg_catalog.int8send({})", numbers)


def gathered_texts(values: Sequence[sql.Composable]) -> sql.Composed:
    """The fields of a query that reads so few rows that their texts fit one row."""
    return _fields("pg_catalog.string_agg(({})::text, pg_catalog.chr(10))", values)


def texts_row_by_row(values: Sequence[sql.Composable]) -> sql.Composed:
    """The fields of a query whose texts come as its rows come."""
    return _fields("({})::text", values)


def read_numbers(conn: Connection, query: bytes, count: int) -> Iterator[list[array[int]]]:
    """Read numbers.

    Args:
        conn: In no other use meanwhile.
        query: Its fields are `gathered`, or `row_by_row`.
        count: How many numbers a row has.

    Yields:
        The next numbers of each column, of the same rows in the same order.

    Raises:
        psycopg.Error: The statement fails.
        CopyError: Less has arrived than was sent.
    """
    for columns in _read(conn, query, count):
        found = [array("q", b"".join(each)) for each in columns]
        if sys.byteorder == "little":
            for each in found:
                each.byteswap()
        yield found


def read_texts(conn: Connection, query: bytes, count: int) -> Iterator[list[str]]:
    """Read texts.

    Args:
        conn: In no other use meanwhile.
        query: Its fields are `gathered_texts`, or `texts_row_by_row`.
        count: How many texts a row has.

    Yields:
        The next values of each column, a line each, without NULL; a value may have several lines.

    Raises:
        psycopg.Error: The statement fails.
        CopyError: Less has arrived than was sent.
    """
    for columns in _read(conn, query, count):
        yield [b"\n".join(each).decode("utf-8", "surrogateescape") for each in columns]


def _fields(template: LiteralString, each: Sequence[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join([sql.SQL(template).format(one) for one in each])


def _read(conn: Connection, query: bytes, count: int) -> Iterator[list[list[bytes]]]:
    """Fields that are not NULL, by column."""
    reader = CopyReader(conn, b"COPY (" + query + b") TO STDOUT (FORMAT binary)", _BATCH)
    rows = 0
    for batch in reader:
        columns: list[list[bytes]] = [[] for _ in range(count)]
        for message in batch:
            rows += _take(bytes(message), columns)
        yield columns
    if rows != reader.rows:
        raise CopyError(f"{rows:,} rows were read for the proof, where {reader.rows:,} were sent.")


def _take(message: bytes, columns: list[list[bytes]]) -> int:
    """Append the fields of a message of COPY, and say how many rows those are.

    The stream's header comes within the first message, its trailer as the last.
    """
    place = _HEADER if message.startswith(_SIGNATURE) else 0
    if len(message) < place + _COUNT.size or _COUNT.unpack_from(message, place)[0] < 0:
        return 0
    place += _COUNT.size
    for each in columns:
        (length,) = _LENGTH.unpack_from(message, place)
        place += _LENGTH.size
        if length >= 0:
            each.append(message[place : place + length])
            place += length
    return 1
