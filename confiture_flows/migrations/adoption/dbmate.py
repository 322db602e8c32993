"""dbmate: `schema_migrations(version varchar)`, a row an applied version.

Rails has a table of that name with the same column, and Ecto one with `inserted_at` beside it, so
it is read only beside a directory of dbmate's, or when somebody says that it is a list of versions.
Sources: a ledger of dbmate 2.37, and its pkg/driver/postgres/postgres.go, CreateMigrationsTable;
Rails, ActiveRecord::SchemaMigration; Ecto.Migration.SchemaMigration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.migrations.adoption import ForeignEntry, ForeignLedger, ForeignTable, Tool
from confiture_flows.migrations.adoption._read import read_rows, text_key

if TYPE_CHECKING:
    from psycopg import Connection


def _may_read(table: ForeignTable) -> bool:
    return table.has("version") and not table.has("dirty")


def _read(conn: Connection, table: ForeignTable) -> ForeignLedger:
    rows = read_rows(conn, table, ("version",), order="version")
    return ForeignLedger(TOOL.name, str(table), tuple(ForeignEntry(version) for (version,) in rows))


TOOL = Tool(
    name="dbmate",
    tables=("schema_migrations",),
    recognise=lambda _table: False,
    may_read=_may_read,
    read=_read,
    key=text_key,
    layout="dbmate",
)
