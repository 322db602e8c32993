"""An open connection -> what linting knows of its database. Reads the catalog only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from confiture_flows.catalog.locked import LOCK_WAIT_MS, ask_unlocked
from confiture_flows.catalog.snapshot import take_snapshot
from confiture_flows.errors import LockError
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
  AND n.nspname !~ '^pg_toast' AND c.oid <> ALL (%(locked)s::bigint[])
GROUP BY n.nspname, c.relname
"""
# What a row takes at least, for a table that was never analyzed.
_ROW_BYTES = 32


@dataclass(frozen=True, slots=True)
class LiveDatabase:
    """What is in a database, without rows, and how large its tables are.

    Attributes:
        state: What is there; None where a lock of another session is in the way of reading it.
        statistics: The sizes.
    """

    state: KnownState | None
    statistics: TableStatistics


def read_live(conn: Connection, ledger: str, *, wait_ms: int = LOCK_WAIT_MS) -> LiveDatabase:
    """What linting knows of a database, in one transaction that only reads.

    Args:
        conn: In autocommit.
        ledger: The target's ledger, which is left out.
        wait_ms: How long a locked table is waited for; then its size is unknown.

    Raises:
        LockError: Ever other tables were locked.
    """
    table = locate_ledger(conn, ledger)
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        (schema,) = conn.execute("SELECT current_schema()").fetchone() or (None,)
        statistics = _sizes(conn, table, wait_ms)
        try:
            catalog = take_snapshot(conn, ledger=(table.schema, table.name), only=PARTS)
        except LockError:  # of a view's query, or a default of the locked table
            return LiveDatabase(None, statistics)
    return LiveDatabase(state_of(catalog, schema or "public"), statistics)


def read_sizes(conn: Connection, ledger: str, *, wait_ms: int = LOCK_WAIT_MS) -> TableStatistics:
    """The rows of a database's tables, as the planner knows them, their bytes, and writes.

    Args:
        conn: In autocommit.
        ledger: The target's ledger, which is left out.
        wait_ms: How long a locked table is waited for; then its size is unknown.
    """
    table = locate_ledger(conn, ledger)
    with conn.transaction():
        conn.execute("SET TRANSACTION READ ONLY")
        return _sizes(conn, table, wait_ms)


def _sizes(conn: Connection, ledger: LedgerTable, wait_ms: int) -> TableStatistics:
    tables: dict[ObjectName, TableFacts] = {}
    found, locked = ask_unlocked(
        conn, lambda oids: conn.execute(SIZES, {"locked": oids}).fetchall(), wait_ms=wait_ms
    )
    for schema, name, rows, size, unknown, empty, writes, seconds in found:
        if schema == ledger.schema and f"{name}_".startswith(f"{ledger.name}_"):
            continue
        counted = max(rows, size // _ROW_BYTES) if unknown else rows
        rate = write_rate(writes, seconds)
        # Without a page there is no row, though the index of long values has its first page.
        facts = TableFacts(0, 0, rate) if empty else TableFacts(counted, size, rate)
        tables[ObjectName(schema, name)] = facts
    (today,) = conn.execute("SELECT current_date").fetchone() or (date.today(),)
    return TableStatistics(today, tables, tuple(ObjectName(*each) for each in locked))
