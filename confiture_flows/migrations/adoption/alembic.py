"""alembic and its like: `alembic_version(version_num)`, a row a head, nothing of what came before.

Which migrations a head stands on is written in alembic's Python files, so it is read only
through a directory that holds a migration of that name.
Source: alembic, runtime/migration.py, MigrationContext.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.migrations.adoption import ForeignEntry, ForeignLedger, ForeignTable, Tool
from confiture_flows.migrations.adoption._read import read_rows, text_key

if TYPE_CHECKING:
    from psycopg import Connection


def _recognise(table: ForeignTable) -> bool:
    return len(table.columns) == 1 and table.has("version_num")


def _read(conn: Connection, table: ForeignTable) -> ForeignLedger:
    heads = [head for (head,) in read_rows(conn, table, ("version_num",), order="version_num")]
    question = None
    if len(heads) > 1:
        question = f"alembic has {len(heads)} heads ({', '.join(heads)}), and a directory has one."
    return ForeignLedger(
        TOOL.name,
        str(table),
        tuple(ForeignEntry(head) for head in heads),
        through=heads[0] if len(heads) == 1 else None,
        question=question,
    )


TOOL = Tool(
    name="alembic",
    tables=("alembic_version",),
    recognise=_recognise,
    may_read=_recognise,
    read=_read,
    key=text_key,
)
