"""prisma: `_prisma_migrations`, a row a try; one with rolled_back_at does not count.

Sources: prisma-engines, schema-engine, the postgres connector's create_migrations_table, and
schema-connector/src/checksum.rs.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from confiture_flows.migrations.adoption import ForeignEntry, ForeignLedger, ForeignTable, Tool
from confiture_flows.migrations.adoption._read import read_rows, text_key

if TYPE_CHECKING:
    from psycopg import Connection

_COLUMNS = ("migration_name", "checksum", "finished_at", "rolled_back_at", "applied_steps_count")


def _recognise(table: ForeignTable) -> bool:
    return table.has(*_COLUMNS, "started_at")


def _read(conn: Connection, table: ForeignTable) -> ForeignLedger:
    entries: dict[str, ForeignEntry] = {}
    for name, checksum, finished, rolled_back, steps in read_rows(
        conn, table, _COLUMNS, order="started_at"
    ):
        known = entries.get(name)
        if rolled_back is not None or (known and not known.complete):
            continue
        note = None
        if finished is None:
            note = "it has not finished: it failed, or runs at this moment"
        elif steps == 0:
            note = "marked by prisma migrate resolve"
        entries[name] = ForeignEntry(
            name,
            applied_at=finished,
            checksum=checksum,
            complete=finished is not None,
            note=note,
        )
    return ForeignLedger(TOOL.name, str(table), tuple(entries.values()))


def _unchanged(content: bytes, checksum: str) -> bool:
    # As prisma compares: whatever git did to line ends, and sums that old versions wrote
    # without the zeros at the start of a byte.
    unix = content.replace(b"\r\n", b"\n")
    for text in (content, unix, content.replace(b"\n", b"\r\n")):
        digest = hashlib.sha256(text).digest()
        if checksum in (digest.hex(), "".join(f"{byte:x}" for byte in digest)):
            return True
    return False


TOOL = Tool(
    name="prisma",
    tables=("_prisma_migrations",),
    recognise=_recognise,
    may_read=_recognise,
    read=_read,
    key=text_key,
    unchanged=_unchanged,
)
