"""golang-migrate: `schema_migrations(version bigint, dirty boolean)`, one row, the current version.

Source: golang-migrate, database/postgres/postgres.go, ensureVersionTable and SetVersion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.migrations.adoption import ForeignEntry, ForeignLedger, ForeignTable, Tool
from confiture_flows.migrations.adoption._read import number_key, read_rows

if TYPE_CHECKING:
    from psycopg import Connection


def _recognise(table: ForeignTable) -> bool:
    return {name for name, _ in table.columns} == {"version", "dirty"}


def _read(conn: Connection, table: ForeignTable) -> ForeignLedger:
    rows = read_rows(conn, table, ("version", "dirty"), order="version")
    entries = tuple(
        ForeignEntry(
            version,
            complete=not dirty,
            note="dirty: it failed half way, and what it left is not known" if dirty else None,
        )
        for version, dirty in rows
    )
    question = None
    if len(rows) > 1:
        question = f"golang-migrate keeps one row, and {table} has {len(rows)}."
    through = rows[0][0] if len(rows) == 1 and not rows[0][1] else None
    return ForeignLedger(TOOL.name, str(table), entries, through=through, question=question)


TOOL = Tool(
    name="golang-migrate",
    tables=("schema_migrations",),
    recognise=_recognise,
    may_read=lambda table: table.has("version", "dirty"),
    read=_read,
    key=number_key,
    ordered=True,
)
