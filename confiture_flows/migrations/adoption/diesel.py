"""diesel: `__diesel_schema_migrations(version, run_on)`, a row an applied version, without dashes.

Source: diesel, diesel/src/migration/setup_migration_table.sql.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.migrations.adoption import ForeignEntry, ForeignLedger, ForeignTable, Tool
from confiture_flows.migrations.adoption._read import read_rows, text_key

if TYPE_CHECKING:
    from psycopg import Connection


def _recognise(table: ForeignTable) -> bool:
    return {name for name, _ in table.columns} == {"version", "run_on"}


def _read(conn: Connection, table: ForeignTable) -> ForeignLedger:
    rows = read_rows(conn, table, ("version", "run_on"), order="version")
    entries = tuple(ForeignEntry(version, applied_at=at) for version, at in rows)
    return ForeignLedger(TOOL.name, str(table), entries)


TOOL = Tool(
    name="diesel",
    tables=("__diesel_schema_migrations",),
    recognise=_recognise,
    may_read=_recognise,
    read=_read,
    key=text_key,
)
