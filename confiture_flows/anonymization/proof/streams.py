"""A query of 64-bit numbers -> arrays of them, one a column, some ten thousand rows at a time.

The rows travel as COPY in binary, a single bytea each, so that all are equally long, and slices of
an array part the columns: taking rows apart in Python would cost more than hashing them.
"""

from __future__ import annotations

import sys
from array import array
from typing import TYPE_CHECKING

from psycopg import sql

from confiture_flows.anonymization.copying.pipe import CopyReader
from confiture_flows.errors import CopyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg import Connection

_BATCH = 1 << 19
_WORD = 8
# The head of the stream, and of the first row: its number of fields, and the length of the field.
_HEAD = 19 + 2 + 4
# Between the words of two rows: two bytes of ours, and the head of a row. The last has two of ours
# and the two that end the stream.
_END = 4


def words_of(numbers: Sequence[sql.Composable]) -> sql.Composed:
    """The one field of such a query.

    Args:
        numbers: Expressions of type bigint that are never NULL.
    """
    sent = [sql.SQL("pg_catalog.int8send({})").format(each) for each in numbers]
    return sql.SQL("{} || pg_catalog.int2send(0::int2)").format(sql.SQL(" || ").join(sent))


def read_words(conn: Connection, query: bytes, count: int) -> Iterator[list[array[int]]]:
    """Read the rows.

    Args:
        conn: In no other use meanwhile.
        query: Whose only field is made by `words_of`.
        count: How many numbers a row has.

    Raises:
        psycopg.Error: The statement fails.
    """
    statement = b"COPY (" + query + b") TO STDOUT (FORMAT binary)"
    reader = CopyReader(conn, statement, _BATCH)
    stride, rest, head, rows = (count + 1) * _WORD, b"", _HEAD, 0
    for batch in reader:
        data = rest + b"".join(batch)
        if len(data) < head:  # no row so far
            rest = data
            continue
        end = head + (len(data) - head) // stride * stride
        yield _columns(data[head:end], count)
        rows += (end - head) // stride
        rest, head = data[end:], 0
    if not head:
        yield _columns(rest + bytes(_END), count)
        rows += 1
    if rows != reader.rows:
        raise CopyError(f"{rows:,} rows were read for the proof, where {reader.rows:,} were sent.")


def _columns(data: bytes, count: int) -> list[array[int]]:
    words = array("q")
    words.frombytes(data)
    if sys.byteorder == "little":
        words.byteswap()
    return [words[place :: count + 1] for place in range(count)]
