"""What several tools need: the rows of a table, and versions that are numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.migrations.adoption import ForeignTable

# Of a ledger ("42"), or of a directory ("0042", and "0042_add_users" where names are identity).
_NUMBER = re.compile(r"(\d+)(?:_|$)")


def read_rows(
    conn: Connection, table: ForeignTable, columns: tuple[str, ...], *, order: str
) -> list[tuple[Any, ...]]:
    """The rows of a table by one of its columns; version columns as text."""
    from psycopg import sql

    query = sql.SQL("SELECT {} FROM {} ORDER BY {}").format(
        sql.SQL(", ").join(_column(name) for name in columns),
        table.identifier,
        sql.Identifier(order),
    )
    # Binary, since psycopg reads times as text in the ISO style only.
    return conn.execute(query, binary=True).fetchall()


def _column(name: str) -> Any:
    from psycopg import sql

    cast = "{}::pg_catalog.text" if "version" in name else "{}"
    return sql.SQL(cast).format(sql.Identifier(name))


def number_key(version: str) -> tuple[int, ...] | None:
    """The number a version starts with: to tools that keep numbers "0042" is 42."""
    match = _NUMBER.match(version)
    return (int(match[1]),) if match else None


def text_key(version: str) -> str:
    """The version itself."""
    return version
