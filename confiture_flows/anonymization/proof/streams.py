"""A query of 64-bit numbers -> arrays of them, one a column, some ten thousand at a time.

The server puts the numbers of many rows into one row, a bytea a column: a row of COPY costs as much
as hashing a column of it, and taking numbers apart in Python would cost more. What cannot be
gathered like this comes row by row in the same form.
"""

from __future__ import annotations

import struct
import sys
from array import array
from typing import TYPE_CHECKING

from psycopg import sql

from confiture_flows.anonymization.copying.pipe import CopyReader
from confiture_flows.errors import CopyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg import Connection
    from psycopg.abc import Buffer

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
    fields = [
        sql.SQL("pg_catalog.string_agg(pg_catalog.int8send({}), ''::pg_catalog.bytea)").format(each)
        for each in numbers
    ]
    return sql.SQL(", ").join(fields)


def row_by_row(numbers: Sequence[sql.Composable]) -> sql.Composed:
    """The fields of a query whose numbers come as its rows come."""
    return sql.SQL(", ").join([sql.SQL("pg_catalog.int8send({})").format(each) for each in numbers])


def read_numbers(conn: Connection, query: bytes, count: int) -> Iterator[list[array[int]]]:
    """Read them.

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
    reader = CopyReader(conn, b"COPY (" + query + b") TO STDOUT (FORMAT binary)", _BATCH)
    rows = 0
    for batch in reader:
        columns = [array("q") for _ in range(count)]
        for message in batch:
            rows += _take(message, columns)
        if sys.byteorder == "little":
            for each in columns:
                each.byteswap()
        yield columns
    if rows != reader.rows:
        raise CopyError(f"{rows:,} rows were read for the proof, where {reader.rows:,} were sent.")


def _take(message: Buffer, columns: list[array[int]]) -> int:
    """Append what a message of COPY holds, and say how many rows that are.

    The stream's header comes within the first message, its trailer as the last.
    """
    data = bytes(message)
    place = _HEADER if data.startswith(_SIGNATURE) else 0
    if len(data) < place + _COUNT.size or _COUNT.unpack_from(data, place)[0] < 0:
        return 0
    place += _COUNT.size
    for each in columns:
        (length,) = _LENGTH.unpack_from(data, place)
        place += _LENGTH.size
        if length > 0:  # of no rows, what was gathered is NULL
            each.frombytes(data[place : place + length])
            place += length
    return 1
