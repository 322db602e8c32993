"""The target -> its schema, a sample of its rows and its sequences in a scratch database.

Only the tables that the plan touches get rows: all of them if they are few, else a sample of pages.
Constraints hold already when rows arrive, but for foreign keys, whose other side may not have been
sampled; triggers do not fire. Generated columns are computed anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from confiture_flows.catalog.diff import Action, diff
from confiture_flows.catalog.snapshot import take_snapshot
from confiture_flows.errors import LockError
from confiture_flows.migrations.ledger import locate_ledger
from confiture_flows.postgres.schema_copy import copy_schema
from confiture_flows.postgres.scratch import ScratchUnavailable
from confiture_flows.target import connect

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.sql import Composed

    from confiture_flows.catalog.model import Catalog
    from confiture_flows.dryrun.report import TableSize
    from confiture_flows.dryrun.sizes import ForeignKey
    from confiture_flows.migrations.ledger import LedgerTable
    from confiture_flows.postgres.likeness import Likeness
    from confiture_flows.postgres.scratch import Scratch
    from confiture_flows.target import Target

_COLUMNS = """
SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum)
FROM pg_catalog.pg_attribute
JOIN pg_catalog.pg_class AS c ON c.oid = attrelid AND c.relkind IN ('r', 'p')
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""
_SEQUENCES = """
SELECT quote_ident(schemaname) || '.' || quote_ident(sequencename), last_value
FROM pg_catalog.pg_sequences WHERE last_value IS NOT NULL
"""
_SET_SEQUENCES = """
SELECT pg_catalog.setval(name::regclass, value)
FROM unnest(%s::text[], %s::bigint[]) AS s (name, value)
WHERE pg_catalog.to_regclass(name) IS NOT NULL
"""
_KEY = """
SELECT quote_ident(cs.nspname) || '.' || quote_ident(c.relname),
    quote_ident(ps.nspname) || '.' || quote_ident(p.relname),
    quote_ident(own.attname), quote_ident(other.attname),
    pg_catalog.format_type(other.atttypid, other.atttypmod)
FROM (SELECT %s::text AS child, %s::text AS parent, %s::text AS col, %s::text AS ref) AS said
JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.to_regclass(said.child)
JOIN pg_catalog.pg_namespace AS cs ON cs.oid = c.relnamespace
JOIN pg_catalog.pg_class AS p ON p.oid = pg_catalog.to_regclass(said.parent)
JOIN pg_catalog.pg_namespace AS ps ON ps.oid = p.relnamespace
JOIN pg_catalog.pg_attribute AS own ON own.attrelid = c.oid AND own.attname = said.col
JOIN pg_catalog.pg_attribute AS other ON other.attrelid = p.oid AND (
    other.attname = said.ref OR (said.ref = '' AND EXISTS (
        SELECT FROM pg_catalog.pg_index AS i
        WHERE i.indrelid = p.oid AND i.indisprimary AND i.indkey[0] = other.attnum
            AND i.indnkeyatts = 1
    ))
)
"""
# Those that are there already: a new type of one of their columns has all rows checked again.
_HELD_KEYS = """
SELECT
    quote_ident(cs.nspname) || '.' || quote_ident(c.relname),
    quote_ident(ps.nspname) || '.' || quote_ident(p.relname),
    own.attname, other.attname
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace AS cs ON cs.oid = c.relnamespace
JOIN pg_catalog.pg_class AS p ON p.oid = k.confrelid
JOIN pg_catalog.pg_namespace AS ps ON ps.oid = p.relnamespace
JOIN pg_catalog.pg_attribute AS own ON own.attrelid = c.oid AND own.attnum = k.conkey[1]
JOIN pg_catalog.pg_attribute AS other ON other.attrelid = p.oid AND other.attnum = k.confkey[1]
WHERE k.contype = 'f' AND k.conparentid = 0 AND cardinality(k.conkey) = 1
    AND k.conrelid = ANY (%s::regclass[])
ORDER BY k.oid
"""
_MISSING = """
SELECT array_agg(DISTINCT c.{2}::text) FROM {0} AS c
WHERE c.{2} IS NOT NULL AND NOT EXISTS (SELECT FROM {1} AS p WHERE p.{3} = c.{2}::{4})
"""
_GENERATIONS = 50  # of a tree; deeper ones are rehearsed without rows where that matters
_UNPOPULATED = """
SELECT oid::regclass::text FROM pg_catalog.pg_class WHERE relkind = 'm' AND NOT relispopulated
ORDER BY oid
"""


@dataclass(frozen=True, slots=True)
class Replica:
    """What the scratch database got.

    Attributes:
        tables: With the number of rows that were copied.
        unknown: What it differs in from the target, or lacks, in sentences.
    """

    tables: tuple[TableSize, ...]
    unknown: tuple[str, ...]


def is_new(catalog: Catalog) -> bool:
    """Whether a database has nothing of its own yet, so that nothing needs to be copied."""
    kinds = {each.kind for each in catalog.objects}
    names = {each.name for each in catalog.objects if each.kind != "comment"}
    return kinds <= {"schema", "extension", "comment"} and names <= {"public", "plpgsql"}


def fill(
    conn: Connection,
    target: Target,
    place: Scratch,
    likeness: Likeness,
    tables: tuple[TableSize, ...],
    rows: int,
    keys: tuple[ForeignKey, ...] = (),
) -> Replica:
    """Copy what a rehearsal needs.

    Args:
        conn: The target; in autocommit, only read.
        target: Where `conn` leads; pg_dump connects by itself.
        place: An empty scratch database.
        likeness: Of the target.
        tables: Those that the plan touches.
        rows: How many rows of each at most; 0 copies none.
        keys: The foreign keys that the plan adds between them.

    Raises:
        ScratchUnavailable: The schema cannot be read, be dumped, or be made again.
    """
    ledger = locate_ledger(conn, target.ledger)
    known = (ledger.schema, ledger.name)
    try:
        held = take_snapshot(conn, ledger=known)
    except LockError as locked:
        raise ScratchUnavailable(locked.message, locked.next_step) from None
    with connect(place.target(), "dry run") as scratch:
        if place.private:
            # Whoever migrates the target has the rights for it, by whatever way.
            _make_superusers(scratch, likeness)
        if is_new(held) and not ledger.exists:
            return Replica(tables, ())
        copy_schema(scratch, place, target.dsn, likeness, whose="target")
        unknown = _differences(held, take_snapshot(scratch, ledger=known), place)
        _copy_ledger(conn, scratch, ledger)
        _copy_sequences(conn, scratch)
        tables = tuple(_with_rows(conn, scratch, table, rows, unknown) for table in tables)
        if rows:
            tables = _copy_parents(conn, scratch, tables, keys)
        _populate(scratch, unknown)
        scratch.execute("ANALYZE")
    return Replica(tables, tuple(unknown))


def _make_superusers(scratch: Connection, likeness: Likeness) -> None:
    from psycopg import sql

    for role in likeness.roles:
        scratch.execute(sql.SQL("ALTER ROLE {} SUPERUSER").format(sql.Identifier(role.name)))


def _differences(held: Catalog, made: Catalog, place: Scratch) -> list[str]:
    ignored = frozenset() if place.private else frozenset({"grant", "revoke", "default privileges"})
    changes = [
        change
        for change in diff(held, made)
        if change.kind not in ignored and change.action is not Action.REORDERED
    ]
    if not changes:
        return []
    shown = ", ".join(f"{change.kind} {change.name}" for change in changes[:5])
    more = f" and {len(changes) - 5} more" if len(changes) > 5 else ""
    return [f"The scratch database is not quite like the target: {shown}{more}."]


def _copy_ledger(conn: Connection, scratch: Connection, ledger: LedgerTable) -> None:
    if ledger.exists:
        name = '"' + ledger.schema.replace('"', '""') + '"."' + ledger.name.replace('"', '""') + '"'
        _copy(conn, scratch, name, None)


def _copy_sequences(conn: Connection, scratch: Connection) -> None:
    found = conn.execute(_SEQUENCES).fetchall()
    if found:
        names, values = [name for name, _ in found], [value for _, value in found]
        scratch.execute(_SET_SEQUENCES, (names, values))


def _with_rows(
    conn: Connection, scratch: Connection, table: TableSize, rows: int, unknown: list[str]
) -> TableSize:
    import psycopg

    if not rows or not table.rows:
        return replace(table, sampled=0)
    try:
        return replace(table, sampled=_copy(conn, scratch, table.name, (rows, table.rows)))
    except psycopg.Error as error:
        said = error.diag.message_primary or str(error)
        unknown.append(f"No rows of {table.name} could be copied: {said}.")
        return replace(table, sampled=0)


def _copy_parents(
    conn: Connection,
    scratch: Connection,
    tables: tuple[TableSize, ...],
    keys: tuple[ForeignKey, ...],
) -> tuple[TableSize, ...]:
    """Fetch the rows that sampled rows point to, or will once the plan adds a foreign key."""
    by_name = {table.name: table for table in tables}
    held = scratch.execute(_HELD_KEYS, (list(by_name),)).fetchall()
    wanted = [(key.child, key.parent, key.column, key.referenced) for key in keys]
    for where in dict.fromkeys((*wanted, *held)):
        found = scratch.execute(_KEY, where).fetchone()
        if found is None:
            continue
        parent = found[1]
        # Rows of a tree point to rows of the same table, and those to others.
        for _ in range(_GENERATIONS):
            count = _copy_missing(conn, scratch, found)
            if parent in by_name:
                table = by_name[parent]
                by_name[parent] = replace(table, sampled=table.sampled + count)
            if not count or found[0] != parent:
                break
    return tuple(by_name.values())


def _copy_missing(conn: Connection, scratch: Connection, key: tuple[str, ...]) -> int:
    from psycopg import sql

    parts = [sql.SQL(each) for each in key]  # pyright: ignore[reportArgumentType] - by the server
    missing = scratch.execute(sql.SQL(_MISSING).format(*parts)).fetchone()
    if not missing or not missing[0]:
        return 0
    only = sql.SQL(" WHERE {} = ANY ({}::{}[])").format(parts[3], missing[0], parts[4])
    return _copy(conn, scratch, key[1], None, only)


def _copy(
    conn: Connection,
    scratch: Connection,
    name: str,
    sample: tuple[int, int] | None,
    only: Composed | None = None,
) -> int:
    """Copy rows; all, those of a condition, or about `sample[0]` of `sample[1]`."""
    from psycopg import sql

    columns = conn.execute(_COLUMNS, (name,)).fetchone()
    if columns is None or columns[0] is None:
        return 0
    # Quoted by the server.
    table, listed = sql.SQL(name), sql.SQL(columns[0])  # pyright: ignore[reportArgumentType]
    query = sql.SQL("SELECT {} FROM {}").format(listed, table)
    if sample and sample[1] > sample[0]:
        percent = min(100.0, 110.0 * sample[0] / sample[1])
        query += sql.SQL(" TABLESAMPLE SYSTEM ({}) LIMIT {}").format(percent, sample[0])
    query += only or sql.SQL("")
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(table, listed)
    with conn.transaction(), scratch.transaction():
        conn.execute("SET LOCAL statement_timeout = '20s'")
        # What takes longer than that is left without rows.
        conn.execute("SET LOCAL lock_timeout = '500ms'")
        scratch.execute("SET LOCAL session_replication_role = replica")
        scratch.execute(sql.SQL("LOCK TABLE {}").format(table))
        reading, writing = conn.cursor(), scratch.cursor()
        with (
            reading.copy(sql.SQL("COPY ({}) TO STDOUT").format(query)) as source,
            writing.copy(into) as sink,
        ):
            for block in source:
                sink.write(block)
        return writing.rowcount


def _populate(scratch: Connection, unknown: list[str]) -> None:
    import psycopg
    from psycopg import sql

    for (name,) in scratch.execute(_UNPOPULATED).fetchall():
        try:
            query = sql.SQL("REFRESH MATERIALIZED VIEW {}").format(sql.SQL(name))
            scratch.execute(query)
        except psycopg.Error as error:
            said = error.diag.message_primary or str(error)
            unknown.append(f"{name} has no rows in the scratch database: {said}.")
