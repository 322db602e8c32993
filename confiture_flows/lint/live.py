"""An open connection -> the sizes of its tables, for severities. Reads the catalog only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.catalog import KnownTable
from confiture_flows.lint.state import KnownState
from confiture_flows.sql.parts import ObjectName

if TYPE_CHECKING:
    from psycopg import Connection

# A partitioned table is as large as its partitions are together.
_SIZES = """
SELECT n.nspname, c.relname, sum(greatest(p.reltuples, 0))::bigint,
       sum(pg_table_size(p.oid))::bigint,
       bool_or(p.reltuples < 0)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT t.relid FROM pg_partition_tree(c.oid) t WHERE t.isleaf
    UNION SELECT c.oid WHERE c.relkind = 'r'
) leaf
JOIN pg_class p ON p.oid = leaf.relid
WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg_toast%'
GROUP BY 1, 2
"""
# What a row takes at least, for a table that was never analyzed.
_ROW_BYTES = 32


def live_sizes(conn: Connection) -> KnownState:
    """The tables of a database with their rows, as the planner knows them, and bytes."""
    state = KnownState()
    with conn.transaction():
        conn.execute("SET TRANSACTION READ ONLY")
        for schema, name, rows, size, unknown in conn.execute(_SIZES):
            counted = max(rows, size // _ROW_BYTES) if unknown else rows
            state.put(KnownTable(ObjectName(schema, name), rows=counted, bytes=size))
    return state
