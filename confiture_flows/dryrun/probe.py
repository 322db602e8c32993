"""A session of a dry run -> readings of what it holds and has done, and what changed between two.

A reading is one prepared query that is sent between the statements of a script, in the same round
trip: the session's own locks, with the file of each relation and the rows that this transaction has
read and written. Taken apart from the next one, it says what the statement between has done. Locks
that are held already are in every reading, so that none is counted twice and none is missed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confiture_flows.sql.parts import LockMode

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.pq.abc import PGresult

COLUMN = "confiture_probe"  # by which its results are known among those of a script
# All that the session holds.
EXECUTE = "EXECUTE confiture_probe(4294967295)"
# The clock is read for each row: the first says when the reading began, the last when it ended.
# The lock on the session's own virtual transaction is always there, so that there is a row.
PREPARE = """
PREPARE confiture_probe (oid) AS
SELECT
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) AS confiture_probe,
    pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_lsn,
    l.relation, l.mode, c.relkind,
    pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),
    pg_catalog.pg_relation_filenode(c.oid), i.indrelid,
    pg_catalog.pg_stat_get_xact_numscans(c.oid),
    pg_catalog.pg_stat_get_xact_tuples_returned(c.oid),
    pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid),
    pg_catalog.pg_stat_get_xact_tuples_updated(c.oid),
    pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid)
FROM pg_catalog.pg_lock_status() AS l
LEFT JOIN pg_catalog.pg_class AS c ON c.oid = l.relation AND l.locktype = 'relation'
LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
WHERE l.pid = pg_catalog.pg_backend_pid()
    AND (
        l.locktype = 'virtualxid'
        OR (l.locktype = 'relation' AND l.relation >= 16384
            AND (l.relation <= $1 OR i.indrelid <= $1))
    )
"""
_RELATIONS = """
SELECT c.oid, c.relkind::text, quote_ident(n.nspname) || '.' || quote_ident(c.relname),
    pg_catalog.pg_relation_filenode(c.oid), i.indrelid
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
WHERE c.oid >= 16384 AND n.nspname <> 'pg_toast'
"""
MODES = {mode.value.title().replace(" ", "") + "Lock": mode for mode in LockMode}
KINDS = {
    "r": "table",
    "p": "table",
    "i": "index",
    "I": "index",
    "S": "sequence",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
    "c": "composite type",
}
_TOAST = "pg_toast."


@dataclass(frozen=True, slots=True)
class Relation:
    """What has a lock of its own.

    Attributes:
        oid: Its number.
        kind: As in KINDS.
        name: Qualified and quoted.
        filenode: The file it is in; None where it has none.
        table: Of an index, the number of its table.
    """

    oid: int
    kind: str
    name: str
    filenode: int | None
    table: int | None


@dataclass(frozen=True, slots=True)
class RowWork:
    """What a transaction has done to a table's rows so far."""

    scans: int = 0
    read: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0

    def since(self, before: RowWork) -> RowWork:
        """What was done since an earlier reading."""
        return RowWork(
            max(self.scans - before.scans, 0),
            max(self.read - before.read, 0),
            max(self.inserted - before.inserted, 0),
            max(self.updated - before.updated, 0),
            max(self.deleted - before.deleted, 0),
        )


@dataclass(slots=True)
class LockReading:
    """One look.

    Attributes:
        began: Seconds, by the server's clock.
        ended: The same, after it.
        wal: Bytes of WAL that the server had written.
        held: Numbers of relations and the modes in which the session holds them.
        relations: What they are, as far as they are still there.
        work: Rows read and written in each.
    """

    began: float
    ended: float
    wal: int
    held: set[tuple[int, LockMode]] = field(default_factory=set)
    relations: dict[int, Relation] = field(default_factory=dict)
    work: dict[int, RowWork] = field(default_factory=dict)


def execute(newest: int) -> str:
    """A reading of what was there already, and of indexes on it: a script may make a great deal.

    Args:
        newest: The highest number of a relation that was there; PostgreSQL counts upwards.
    """
    return f"EXECUTE confiture_probe({newest:d})"


def is_reading(result: PGresult) -> bool:
    """Whether a result is one of a probe."""
    return result.nfields > 0 and result.fname(0) == COLUMN.encode()


def read(result: PGresult) -> LockReading:
    """Take a result apart."""
    rows = [
        [_text(result.get_value(row, column)) for column in range(result.nfields)]
        for row in range(result.ntuples)
    ]
    reading = LockReading(float(rows[0][0]), float(rows[-1][0]), int(rows[0][1]))
    for _, _, oid, mode, kind, name, filenode, table, *counts in rows:
        if not oid or name.startswith(_TOAST):
            continue
        number = int(oid)
        reading.held.add((number, MODES[mode]))
        if name:
            relation = _relation(number, kind, name, filenode, table)
            reading.relations[number] = relation
            reading.work[number] = RowWork(*(int(each or 0) for each in counts))
    return reading


def probe(conn: Connection) -> LockReading:
    """Look once, outside a script."""
    result = conn.execute(EXECUTE).pgresult
    assert result is not None  # noqa: S101 - a query that has succeeded has a result
    return read(result)


def relations(conn: Connection) -> dict[int, Relation]:
    """All relations of the database, by number."""
    return {
        oid: Relation(oid, KINDS.get(str(kind), str(kind)), name, filenode, table)
        for oid, kind, name, filenode, table in conn.execute(_RELATIONS)
    }


def _relation(oid: int, kind: str, name: str, filenode: str, table: str) -> Relation:
    return Relation(
        oid,
        KINDS.get(kind, kind),
        name,
        int(filenode) if filenode else None,
        int(table) if table else None,
    )


def _text(value: bytes | None) -> str:
    return "" if value is None else value.decode()
