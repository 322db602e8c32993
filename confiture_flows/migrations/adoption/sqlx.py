"""sqlx: `_sqlx_migrations`, a row an applied version, with the SHA-384 of its up script.

Sources: sqlx, sqlx-postgres/src/migrate.rs and sqlx-core/src/migrate/migration.rs.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from confiture_flows.migrations.adoption import ForeignEntry, ForeignLedger, ForeignTable, Tool
from confiture_flows.migrations.adoption._read import number_key, read_rows

if TYPE_CHECKING:
    from psycopg import Connection

_COLUMNS = ("version", "description", "installed_on", "checksum", "success")


def _recognise(table: ForeignTable) -> bool:
    # Flyway's table has all of these columns too.
    return table.has(*_COLUMNS, "execution_time") and not table.has("installed_rank")


def _read(conn: Connection, table: ForeignTable) -> ForeignLedger:
    entries = tuple(
        ForeignEntry(
            version,
            name=description,
            applied_at=at,
            checksum=bytes(checksum).hex(),
            complete=success,
            note=None if success else "it failed half way",
        )
        for version, description, at, checksum, success in read_rows(
            conn, table, _COLUMNS, order="version"
        )
    )
    return ForeignLedger(TOOL.name, str(table), entries)


TOOL = Tool(
    name="sqlx",
    tables=("_sqlx_migrations",),
    recognise=_recognise,
    may_read=_recognise,
    read=_read,
    key=number_key,
    ordered=True,
    unchanged=lambda content, checksum: hashlib.sha384(content).hexdigest() == checksum,
)
