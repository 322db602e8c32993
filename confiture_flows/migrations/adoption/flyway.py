"""Flyway: `flyway_schema_history`, a log: what was applied, undone, deleted, baselined, in order.

Versions are compared part by part as numbers: 1.0 is 1, and 1.10 comes after 1.9. Repeatable
migrations have no version and are no history: they run again when their file changes.
Sources: Flyway, PostgreSQLDatabase.getRawCreateScript, CoreMigrationType,
BaselineMigrationType, ChecksumCalculator, MigrationVersion.
"""

from __future__ import annotations

import re
import zlib
from codecs import BOM_UTF8
from typing import TYPE_CHECKING

from confiture_flows.migrations.adoption import ForeignEntry, ForeignLedger, ForeignTable, Tool
from confiture_flows.migrations.adoption._read import read_rows

if TYPE_CHECKING:
    from psycopg import Connection

_COLUMNS = ("version", "description", "type", "installed_on", "checksum", "success")
_VERSION = re.compile(r"\d+(?:\.\d+)*")
_BASELINE = ("BASELINE", "_STATE_SCRIPT")  # the second ends what old versions wrote


def _recognise(table: ForeignTable) -> bool:
    return table.has(*_COLUMNS, "installed_rank", "script", "installed_by", "execution_time")


def _read(conn: Connection, table: ForeignTable) -> ForeignLedger:
    entries: dict[tuple[int, ...], ForeignEntry] = {}
    baselines: list[str] = []
    repeatable: set[str] = set()
    for version, description, kind, at, checksum, success in read_rows(
        conn, table, _COLUMNS, order="installed_rank"
    ):
        if version is None:
            if kind not in ("SCHEMA", "DELETE"):
                repeatable.add(description)
            continue
        key = _key(version)
        if key is None:
            continue
        if kind.startswith("UNDO") or kind == "DELETE":
            if success:
                entries.pop(key, None)
        elif kind.endswith(_BASELINE) and success:
            baselines.append(version)
        else:
            entries[key] = ForeignEntry(
                version,
                name=description,
                applied_at=at,
                checksum=None if checksum is None else str(checksum),
                complete=success,
                note=None if success else "it failed",
            )
    note = None
    if repeatable:
        note = "Repeatable migrations are not marked: " + ", ".join(sorted(repeatable)) + "."
    through = max(baselines, key=lambda version: _key(version) or (), default=None)
    return ForeignLedger(TOOL.name, str(table), tuple(entries.values()), through=through, note=note)


def _key(version: str) -> tuple[int, ...] | None:
    if not _VERSION.fullmatch(version):
        return None
    parts = [int(part) for part in version.split(".")]
    while len(parts) > 1 and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def _unchanged(content: bytes, checksum: str) -> bool:
    # CRC-32 of the lines without what ends them, as Java's signed 32-bit integer.
    lines = content.removeprefix(BOM_UTF8).replace(b"\r", b"").replace(b"\n", b"")
    return int(checksum) % 2**32 == zlib.crc32(lines)


TOOL = Tool(
    name="flyway",
    tables=("flyway_schema_history", "schema_version"),
    recognise=_recognise,
    may_read=_recognise,
    read=_read,
    key=_key,
    ordered=True,
    unchanged=_unchanged,
)
