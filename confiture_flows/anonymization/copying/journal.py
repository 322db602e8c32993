"""The journal of chunks, in the database that is being loaded; gone before the copy has its name.

A row is written in the transaction of the chunk's own rows, and first of all: a try that comes back
while its forerunner's commit is still under way waits for it, and finds it done.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from psycopg import errors

from confiture_flows.anonymization.copying.values import ChunkResult, ColumnCount

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.anonymization.copying.values import Chunk

SCHEMA = "confiture_flows_copy"

_CREATE = """
CREATE SCHEMA confiture_flows_copy;
CREATE TABLE confiture_flows_copy.chunk (
    table_schema text, table_name text, number int, rows bigint NOT NULL DEFAULT 0,
    size bigint NOT NULL DEFAULT 0, seconds float8 NOT NULL DEFAULT 0,
    columns text NOT NULL DEFAULT '[]', PRIMARY KEY (table_schema, table_name, number)
)
"""
_READ = """
SELECT rows, size, seconds, columns FROM confiture_flows_copy.chunk
WHERE table_schema = %s AND table_name = %s AND number = %s
"""
_CLAIM = """
INSERT INTO confiture_flows_copy.chunk (table_schema, table_name, number) VALUES (%s, %s, %s)
"""
_FILL = """
UPDATE confiture_flows_copy.chunk SET rows = %s, size = %s, seconds = %s, columns = %s
WHERE table_schema = %s AND table_name = %s AND number = %s
"""


def create_journal(conn: Connection) -> None:
    """Create it."""
    conn.execute(_CREATE)


def drop_journal(conn: Connection) -> None:
    """Drop it."""
    conn.execute("DROP SCHEMA IF EXISTS confiture_flows_copy CASCADE")


def done_before(conn: Connection, chunk: Chunk) -> ChunkResult | None:
    """What an earlier try has copied for good."""
    row = conn.execute(_READ, _key(chunk)).fetchone()
    if row is None:
        return None
    rows, size, seconds, columns = row
    counts = tuple(ColumnCount(*each) for each in json.loads(columns))
    return ChunkResult(chunk, rows, size, seconds, counts, repeated=True)


def claim(conn: Connection, chunk: Chunk) -> bool:
    """Enter a chunk, in its transaction.

    Returns:
        False when an earlier try has done it in the meantime; the transaction has failed then.
    """
    try:
        conn.execute(_CLAIM, _key(chunk))
    except errors.UniqueViolation:
        return False
    return True


def fill(conn: Connection, result: ChunkResult) -> None:
    """Say what became of it, in its transaction."""
    counts = [(each.column, each.unfit, each.chance) for each in result.columns]
    values = (result.rows, result.size, result.seconds, json.dumps(counts))
    conn.execute(_FILL, (*values, *_key(result.chunk)))


def _key(chunk: Chunk) -> tuple[str, str, int]:
    return (chunk.table.schema, chunk.table.name, chunk.number)
