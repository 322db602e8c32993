"""A source -> its exported snapshot, held as long as the block, and what is known of its tables.

The session that holds the snapshot holds ACCESS SHARE on the tables too, as pg_dump does: after a
TRUNCATE or a rewriting ALTER TABLE an old snapshot would see an empty table.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from psycopg import Error, errors, sql

from confiture_flows.anonymization.copying.sessions import (
    copy_error,
    prepare_session,
    told_without_rows,
)
from confiture_flows.errors import CopyError, CopyInterruptedError
from confiture_flows.target import connect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from psycopg import Connection

    from confiture_flows.anonymization.plan import PlannedTable
    from confiture_flows.target import Target

_FIRST_OWN_OID = 16384
_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"

_TYPES = """
SELECT t.oid, t.typtype, t.typelem, t.typbasetype, t.typrelid, r.rngsubtype,
    t.typsend <> 0 AND t.typreceive <> 0 AND t.typname !~ '^_?reg[a-z]+$'
FROM pg_catalog.pg_type AS t LEFT JOIN pg_catalog.pg_range AS r ON r.rngtypid = t.oid
"""
_ATTRIBUTES = """
SELECT a.attrelid, a.atttypid FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
WHERE c.relkind = 'c' AND a.attnum > 0 AND NOT a.attisdropped
"""
_COLUMNS = """
SELECT n.nspname, c.relname, a.attname, a.atttypid, tn.nspname, t.typname
FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.typnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND a.attnum > 0 AND NOT a.attisdropped
    AND n.nspname <> ALL ('{pg_catalog,information_schema}')
"""
_COLUMNS_OF_TABLE = _COLUMNS + " AND n.nspname = %s AND c.relname = %s"
_PAGES = """
SELECT n.nspname, c.relname,
    pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::bigint
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_am AS am ON am.oid = c.relam
WHERE c.relkind = 'r' AND am.amname = 'heap'
    AND n.nspname <> ALL ('{pg_catalog,information_schema}')
"""


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A type as a column has it: its oid, and its name for a cast without a length."""

    oid: int
    schema: str
    name: str


@dataclass
class Source:
    """A source whose snapshot is held.

    Attributes:
        conn: In the transaction that holds it.
        target: Where it leads.
        snapshot: The exported name.
    """

    conn: Connection
    target: Target
    snapshot: str

    @property
    def major(self) -> int:
        """The server's major version."""
        return self.conn.info.server_version // 10_000

    @cached_property
    def types(self) -> dict[tuple[str, str], dict[str, ColumnType]]:
        """The types of columns, by table and name."""
        return _types(self.conn.execute(_COLUMNS))

    @cached_property
    def pages(self) -> dict[tuple[str, str], int]:
        """Pages of the tables that can be cut by ctid."""
        return {(schema, table): pages for schema, table, pages in self.conn.execute(_PAGES)}

    @cached_property
    def portable(self) -> PortableTypes:
        """Which types another database of the same version reads in binary."""
        return PortableTypes(self.conn)


def types_of(conn: Connection, table: PlannedTable) -> dict[str, ColumnType]:
    """The types of a table's columns, by name."""
    found = _types(conn.execute(_COLUMNS_OF_TABLE, (table.schema, table.name)))
    return found.get((table.schema, table.name), {})


def _types(rows: Iterable[tuple[Any, ...]]) -> dict[tuple[str, str], dict[str, ColumnType]]:
    found: dict[tuple[str, str], dict[str, ColumnType]] = {}
    for schema, table, column, *kind in rows:
        found.setdefault((schema, table), {})[column] = ColumnType(*kind)
    return found


class PortableTypes:
    """The types whose binary form holds no oid of this database's own.

    An array or a composite value names the types of its parts by oid; those of types that a
    migration has made differ from database to database. A regclass is an oid altogether.
    """

    def __init__(self, conn: Connection) -> None:
        self._types = {row[0]: row[1:] for row in conn.execute(_TYPES)}
        self._parts: dict[int, list[int]] = {}
        for relation, kind in conn.execute(_ATTRIBUTES):
            self._parts.setdefault(relation, []).append(kind)

    def __contains__(self, oid: object) -> bool:
        if oid not in self._types or not isinstance(oid, int):
            return False
        kind, element, base, relation, subtype, binary = self._types[oid]
        if not binary or kind == "p":
            return False
        if kind == "d":
            return base in self
        if kind == "c":
            return all(part < _FIRST_OWN_OID and part in self for part in self._parts[relation])
        if kind == "r":
            return subtype in self
        if kind == "m":
            return oid < _FIRST_OWN_OID
        return oid < _FIRST_OWN_OID or not element


@contextmanager
def hold_snapshot(target: Target, tables: tuple[PlannedTable, ...]) -> Iterator[Source]:
    """Export a snapshot and hold it.

    Args:
        target: The source.
        tables: What is locked against TRUNCATE and rewriting.

    Raises:
        CopyError: A table is locked, gone, or not ours to read.
        TargetError: The source refuses us.
    """
    with connect(target, "copy snapshot") as conn:
        prepare_session(conn, writing=False)
        with told_without_rows(f"Reading {target.name}"):
            conn.execute(_BEGIN)
            # First of all: the snapshot is taken by the first query, and has to be younger.
            _lock(conn, tables)
            row = conn.execute("SELECT pg_catalog.pg_export_snapshot()").fetchone()
        assert row is not None  # noqa: S101 - a function gives a row
        yield Source(conn, target, *row)


def look_as_of(conn: Connection, snapshot: str, source: str) -> None:
    """Begin a transaction that sees what an exported snapshot sees.

    Args:
        conn: To the source, in autocommit.
        snapshot: Its name.
        source: The source's name.

    Raises:
        CopyError: The session that held it is gone.
        psycopg.Error: This one broke.
    """
    conn.execute(_BEGIN)
    try:
        conn.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(snapshot))
    except Error as error:
        if isinstance(copy_error("", error), CopyInterruptedError):
            raise
        raise snapshot_gone(source, error.sqlstate) from None


def snapshot_gone(source: str, sqlstate: str | None = None) -> CopyError:
    """The error for a copy whose session on the source has ended."""
    return CopyError(
        f"The session that held the snapshot of {source} is gone.",
        next_step="Start the copy again, from the beginning: what was copied so far "
        "belongs to a moment that nobody can look at any more.",
        sqlstate=sqlstate,
    )


def _lock(conn: Connection, tables: tuple[PlannedTable, ...]) -> None:
    names = [sql.Identifier(each.schema, each.name) for each in tables if each.copied]
    try:
        for start in range(0, len(names), 200):
            some = sql.SQL(", ").join(names[start : start + 200])
            conn.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(some))
    except errors.LockNotAvailable:
        raise CopyError(
            "A table of the source is locked by a migration or a TRUNCATE.",
            next_step="Start again when it is over.",
            sqlstate="55P03",
        ) from None
    except errors.UndefinedTable as error:
        raise CopyError(
            f"A table of the plan is gone: {error.diag.message_primary}.",
            next_step="Start again: the plan is made anew.",
        ) from None
