"""An open connection -> what linting knows of its database. Reads the catalog only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from confiture_flows.catalog.snapshot import take_snapshot
from confiture_flows.lint.live_state import PARTS, state_of
from confiture_flows.lint.statistics import TableFacts, TableStatistics, write_rate
from confiture_flows.migrations.ledger import locate_ledger
from confiture_flows.sql.parts import ObjectName

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.lint.state import KnownState
    from confiture_flows.migrations.ledger import LedgerTable

# A partitioned table is as large as its partitions are together, and written as often. What was
# written is counted since the statistics were reset. Nobody resets the archiver's, so they tell
# since when the server counts at all: since it was made, or its last crash.
SIZES = """
SELECT n.nspname, c.relname, sum(greatest(p.reltuples, 0))::bigint,
       sum(pg_catalog.pg_table_size(p.oid))::bigint,
       bool_or(p.reltuples < 0),
       sum(pg_catalog.pg_relation_size(p.oid)) = 0,
       sum(coalesce(s.n_tup_ins + s.n_tup_upd + s.n_tup_del, 0))::bigint,
       min(since.seconds)::float
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN (
    SELECT extract(epoch FROM now() - coalesce(d.stats_reset, a.stats_reset)) AS seconds
    FROM pg_catalog.pg_stat_database d, pg_catalog.pg_stat_archiver a
    WHERE d.datname = current_database()
) since
CROSS JOIN LATERAL (
    SELECT t.relid FROM pg_catalog.pg_partition_tree(c.oid) t WHERE t.isleaf
    UNION SELECT c.oid WHERE c.relkind IN ('r', 'm')
) leaf
JOIN pg_catalog.pg_class p ON p.oid = leaf.relid
LEFT JOIN pg_catalog.pg_stat_all_tables s ON s.relid = p.oid
WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg_toast%'
GROUP BY n.nspname, c.relname
"""
# What a row takes at least, for a table that was never analyzed.
_ROW_BYTES = 32


@dataclass(frozen=True, slots=True)
class LiveDatabase:
    """What is in a database, without rows, and how large its tables are."""

    state: KnownState
    statistics: TableStatistics


def read_live(conn: Connection, ledger: str) -> LiveDatabase:
    """What linting knows of a database, in one transaction that only reads.

    Args:
        conn: In autocommit.
        ledger: The target's ledger, which is left out.
    """
    table = locate_ledger(conn, ledger)
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        (schema,) = conn.execute("SELECT current_schema()").fetchone() or (None,)
        statistics = _sizes(conn, table)
        catalog = take_snapshot(conn, ledger=(table.schema, table.name), only=PARTS)
    return LiveDatabase(state_of(catalog, schema or "public"), statistics)


def read_sizes(conn: Connection, ledger: str) -> TableStatistics:
    """The rows of a database's tables, as the planner knows them, their bytes, and writes.

    Args:
        conn: In autocommit.
        ledger: The target's ledger, which is left out.
    """
    table = locate_ledger(conn, ledger)
    with conn.transaction():
        conn.execute("SET TRANSACTION READ ONLY")
        return _sizes(conn, table)


def _sizes(conn: Connection, ledger: LedgerTable) -> TableStatistics:
    tables: dict[ObjectName, TableFacts] = {}
    for schema, name, rows, size, unknown, empty, writes, seconds in conn.execute(SIZES):
        if schema == ledger.schema and f"{name}_".startswith(f"{ledger.name}_"):
            continue
        counted = max(rows, size // _ROW_BYTES) if unknown else rows
        rate = write_rate(writes, seconds)
        # Without a page there is no row, though the index of long values has its first page.
        facts = TableFacts(0, 0, rate) if empty else TableFacts(counted, size, rate)
        tables[ObjectName(schema, name)] = facts
    (today,) = conn.execute("SELECT current_date").fetchone() or (date.today(),)
    return TableStatistics(today, tables)
