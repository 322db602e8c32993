"""dbmate: `schema_migrations(version varchar)`, a row an applied version.

Rails' table of that name has the same column, without a length, and Ecto's has `inserted_at`
beside it: those are read only when somebody says that they are lists of versions.
Sources: dbmate, pkg/driver/postgres/postgres.go, CreateMigrationsTable; Rails,
ActiveRecord::SchemaMigration; Ecto.Migration.SchemaMigration.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from confiture_flows.migrations.adoption import ForeignEntry, ForeignLedger, ForeignTable, Tool
from confiture_flows.migrations.adoption._read import read_rows, text_key

if TYPE_CHECKING:
    from psycopg import Connection

_LIMITED = re.compile(r"character varying\(\d+\)")


def _recognise(table: ForeignTable) -> bool:
    if len(table.columns) != 1 or not table.has("version"):
        return False
    return _LIMITED.fullmatch(table.columns[0][1]) is not None


def _may_read(table: ForeignTable) -> bool:
    return table.has("version") and not table.has("dirty")


def _read(conn: Connection, table: ForeignTable) -> ForeignLedger:
    rows = read_rows(conn, table, ("version",), order="version")
    return ForeignLedger(TOOL.name, str(table), tuple(ForeignEntry(version) for (version,) in rows))


TOOL = Tool(
    name="dbmate",
    tables=("schema_migrations",),
    recognise=_recognise,
    may_read=_may_read,
    read=_read,
    key=text_key,
)
