"""conn + plan -> the tables of the target that the plan touches, with their sizes. Only reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from confiture_flows.catalog.locked import LOCK_WAIT_MS, ask_unlocked
from confiture_flows.dryrun.known import tables_named
from confiture_flows.dryrun.report import TableSize
from confiture_flows.errors import MigrationFileError
from confiture_flows.sql.operation import AddConstraint
from confiture_flows.sql.operations import operations_of
from confiture_flows.sql.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from psycopg import Connection

    from confiture_flows.migrations.plan import Step
    from confiture_flows.sql.parts import ObjectName

_NAMED = """
WITH named AS (
    SELECT DISTINCT coalesce(i.indrelid, c.oid) AS oid
    FROM unnest(%(names)s::text[]) AS n (name)
    JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.to_regclass(n.name)
    LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
    UNION
    SELECT c.oid FROM unnest(%(bare)s::text[]) AS n (name)
    JOIN pg_catalog.pg_class AS c ON c.relname = n.name
    JOIN pg_catalog.pg_namespace AS s ON s.oid = c.relnamespace
    WHERE s.nspname !~ '^pg_' AND s.nspname <> 'information_schema'
)
SELECT
    quote_ident(s.nspname) || '.' || quote_ident(c.relname),
    CASE WHEN c.relkind = 'p' THEN (
        SELECT coalesce(sum(greatest(l.reltuples, 0)), 0)
        FROM pg_catalog.pg_partition_tree(c.oid) AS t
        JOIN pg_catalog.pg_class AS l ON l.oid = t.relid WHERE t.isleaf
    ) ELSE c.reltuples END::bigint,
    CASE WHEN c.relkind = 'p' THEN (
        SELECT coalesce(sum(pg_catalog.pg_table_size(t.relid)), 0)
        FROM pg_catalog.pg_partition_tree(c.oid) AS t WHERE t.isleaf
    ) ELSE pg_catalog.pg_table_size(c.oid) END::bigint,
    CASE WHEN c.relkind = 'p' THEN (
        SELECT coalesce(sum(pg_catalog.pg_indexes_size(t.relid)), 0)
        FROM pg_catalog.pg_partition_tree(c.oid) AS t WHERE t.isleaf
    ) ELSE pg_catalog.pg_indexes_size(c.oid) END::bigint,
    pg_catalog.pg_relation_size(c.oid),
    ARRAY(
        SELECT DISTINCT 'view ' || d.refed FROM (
            SELECT r.ev_class::regclass::text AS refed
            FROM pg_catalog.pg_depend AS x JOIN pg_catalog.pg_rewrite AS r ON r.oid = x.objid
            WHERE x.classid = 'pg_catalog.pg_rewrite'::regclass AND x.refobjid = c.oid
                AND r.ev_class <> c.oid
        ) AS d
        UNION
        SELECT 'foreign key of ' || k.conrelid::regclass::text
        FROM pg_catalog.pg_constraint AS k WHERE k.confrelid = c.oid AND k.conrelid <> c.oid
        ORDER BY 1
    )
FROM named
JOIN pg_catalog.pg_class AS c ON c.oid = named.oid
JOIN pg_catalog.pg_namespace AS s ON s.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND c.oid <> ALL (%(locked)s::bigint[])
ORDER BY 3 DESC, 1
"""
_COUNT = "SELECT count(*) FROM ONLY {}"
_SMALL = 1 << 20  # bytes; what nobody has analysed and is not larger is counted


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key of one column that a plan adds; names are quoted, but for the columns'."""

    child: str
    parent: str
    column: str
    referenced: str  # empty is the primary key


def statements_of(steps: Iterable[Step]) -> Iterator[Statement]:
    """The statements of steps; those of large files, and of files nobody can read, left out."""
    for step in steps:
        try:
            batches = step.script.batches()
        except MigrationFileError:
            continue
        for batch in batches:
            yield from (part for part in batch.parts if isinstance(part, Statement))


def foreign_keys_of(steps: tuple[Step, ...]) -> tuple[ForeignKey, ...]:
    """The foreign keys that steps add to tables, apart from those with several columns."""
    return tuple(
        ForeignKey(
            _quoted(operation.table),
            _quoted(said.references),
            said.columns[0],
            said.referenced[0] if said.referenced else "",
        )
        for statement in statements_of(steps)
        for operation in operations_of(statement.sql)
        if isinstance(operation, AddConstraint)
        and (said := operation.constraint).references is not None
        and len(said.columns) == 1
    )


def _quoted(name: ObjectName) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in name if part)


def tables_of(
    conn: Connection, steps: tuple[Step, ...], *, wait_ms: int = LOCK_WAIT_MS
) -> tuple[tuple[TableSize, ...], tuple[str, ...]]:
    """The tables that steps touch and that are there, the largest first.

    Args:
        conn: The target; in autocommit.
        steps: Those of the plan.
        wait_ms: How long a locked table is waited for; then it is left out.

    Returns:
        The tables; and what is unknown because somebody keeps tables locked, in sentences.

    Raises:
        LockError: Ever other tables were locked.
    """
    names: set[str] = set()
    bare: set[str] = set()
    for statement in statements_of(steps):
        for name in tables_named(statement):
            names.add(_quoted(name))
            bare.update(() if name.schema else (name.name,))

    def ask(locked: list[int]) -> tuple[TableSize, ...]:
        said = {"names": sorted(names), "bare": sorted(bare), "locked": locked}
        return tuple(
            TableSize(
                name, _rows(conn, name, rows, heap), size, indexes, dependents=tuple(dependents)
            )
            for name, rows, size, indexes, heap, dependents in conn.execute(_NAMED, said).fetchall()
        )

    tables, locked = ask_unlocked(conn, ask, wait_ms=wait_ms)
    return tables, tuple(
        f"Another session keeps {schema}.{name} locked; its size and its rows are unknown."
        for schema, name in locked
    )


def _rows(conn: Connection, name: str, estimated: int, heap: int) -> int:
    """How many rows, where statistics are missing: counted if few, else guessed from the bytes."""
    from psycopg import sql

    if estimated > 0 or (estimated == 0 and heap == 0):
        return estimated
    if heap <= _SMALL:
        query = sql.SQL(_COUNT).format(sql.SQL(name))  # pyright: ignore[reportArgumentType]
        row = conn.execute(query).fetchone()
        return row[0] if row else 0
    return heap // 100  # bytes of a usual row
