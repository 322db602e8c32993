"""goose: `goose_db_version(id, version_id, is_applied, tstamp)`; the last row of a version decides.

A version 0 stands for the empty database. Older versions of goose add a row with is_applied
false on the way down, newer ones delete the row.
Source: goose, internal/dialects/postgres.go, CreateTable and ListMigrations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.migrations.adoption import ForeignEntry, ForeignLedger, ForeignTable, Tool
from confiture_flows.migrations.adoption._read import number_key, read_rows

if TYPE_CHECKING:
    from psycopg import Connection


def _recognise(table: ForeignTable) -> bool:
    return table.has("id", "version_id", "is_applied", "tstamp")


def _read(conn: Connection, table: ForeignTable) -> ForeignLedger:
    last: dict[str, ForeignEntry | None] = {}
    for version, applied, at in read_rows(
        conn, table, ("version_id", "is_applied", "tstamp"), order="id"
    ):
        last.pop(version, None)
        last[version] = ForeignEntry(version, applied_at=at) if applied else None
    entries = tuple(entry for version, entry in last.items() if entry and version != "0")
    return ForeignLedger(TOOL.name, str(table), entries)


TOOL = Tool(
    name="goose",
    tables=("goose_db_version",),
    recognise=_recognise,
    may_read=_recognise,
    read=_read,
    key=number_key,
    ordered=True,
)
