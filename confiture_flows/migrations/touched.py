"""Steps -> the tables that their scripts change, and which of them a database has.

What a Python migration or a DO block changes cannot be seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.sql.relations import changed_tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from psycopg import Connection

    from confiture_flows.migrations.plan import Step
    from confiture_flows.sql.relations import TableName

_FIND = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = pg_catalog.to_regclass(%s) AND c.relkind IN ('r', 'p', 'm')
    AND c.relpersistence <> 't'
"""


def tables_changed_by(steps: Iterable[Step]) -> Iterator[TableName]:
    """The tables that scripts fill, change, create or index, as they are written there.

    Raises:
        MigrationFileError: A script cannot be read.
    """
    for step in steps:
        for batch in step.script.batches():
            for part in batch.parts:
                for statement in part.statements():
                    yield from changed_tables(statement.sql)


def find_table(conn: Connection, name: TableName) -> tuple[str, str] | None:
    """The schema and name of a table or materialized view; None when there is none, to stay."""
    from psycopg import sql

    quoted = sql.Identifier(*name).as_string(conn)
    return conn.execute(_FIND, (quoted,)).fetchone()
