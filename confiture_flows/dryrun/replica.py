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
from confiture_flows.errors import EmbeddedServerError
from confiture_flows.migrations.ledger import locate_ledger
from confiture_flows.postgres.dump import dump_schema, find_pg_dump
from confiture_flows.postgres.scratch import ScratchUnavailable
from confiture_flows.target import connect

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.catalog.model import Catalog
    from confiture_flows.dryrun.report import TableSize
    from confiture_flows.migrations.ledger import LedgerTable
    from confiture_flows.postgres.likeness import Likeness
    from confiture_flows.postgres.scratch import Scratch
    from confiture_flows.target import Target

_SECONDS = 20  # for the sample of one table; what takes longer is left without rows
_COLUMNS = """
SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum)
FROM pg_catalog.pg_attribute
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
) -> Replica:
    """Copy what a rehearsal needs.

    Args:
        conn: The target; in autocommit, only read.
        target: Where `conn` leads; pg_dump connects by itself.
        place: An empty scratch database.
        likeness: Of the target.
        tables: Those that the plan touches.
        rows: How many rows of each at most; 0 copies none.

    Raises:
        ScratchUnavailable: The schema cannot be dumped, or not be made again.
    """
    import psycopg

    ledger = locate_ledger(conn, target.ledger)
    known = (ledger.schema, ledger.name)
    held = take_snapshot(conn, ledger=known)
    with connect(place.target(), "dry run") as scratch:
        if place.private:
            # Whoever migrates the target has the rights for it, by whatever way.
            _make_superusers(scratch, likeness)
        if is_new(held) and not ledger.exists:
            return Replica(tables, ())
        try:
            program = find_pg_dump(likeness.major)
            scratch.execute(dump_schema(target.dsn, program, owners=place.private).encode())
        except EmbeddedServerError as error:
            raise ScratchUnavailable(error.message, error.next_step) from None
        except psycopg.Error as error:
            said = error.diag.message_primary or str(error)
            raise ScratchUnavailable(
                f"The target's schema cannot be made again in {place.place}: {said}."
            ) from None
        scratch.execute("RESET ALL")
        unknown = _differences(held, take_snapshot(scratch, ledger=known), place)
        _copy_ledger(conn, scratch, ledger)
        _copy_sequences(conn, scratch)
        tables = tuple(_with_rows(conn, scratch, table, rows, unknown) for table in tables)
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
        return table
    try:
        return replace(table, sampled=_copy(conn, scratch, table.name, (rows, table.rows)))
    except psycopg.Error as error:
        said = error.diag.message_primary or str(error)
        unknown.append(f"No rows of {table.name} could be copied: {said}.")
        return table


def _copy(conn: Connection, scratch: Connection, name: str, sample: tuple[int, int] | None) -> int:
    """Copy rows; all, or about as many as `sample` says first of as many as it says second."""
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
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(table, listed)
    with conn.transaction(), scratch.transaction():
        conn.execute(f"SET LOCAL statement_timeout = '{_SECONDS}s'".encode())
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
