"""What the ledger and its side tables share: where their SQL stands, names, how they are made."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from confiture_flows.errors import LedgerError, TargetError
from confiture_flows.migrations.diagnosis import read_only_error

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psycopg import Connection, sql

    from confiture_flows.migrations.ledger import LedgerTable

_LONGEST_NAME = 63  # bytes


@cache
def named_blocks(file: str) -> dict[str, str]:
    """The queries of a .sql file of this folder; each starts at its `-- name:` line."""
    text = resources.files("confiture_flows.migrations").joinpath(file).read_text("utf-8")
    pieces = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)
    return dict(zip(pieces[1::2], (piece.strip() for piece in pieces[2::2]), strict=True))


def side_table_name(ledger: LedgerTable, what: str) -> str:
    """The name of a table beside the ledger, within PostgreSQL's 63 bytes."""
    room = _LONGEST_NAME - len(what) - 1
    return ledger.name.encode()[:room].decode(errors="ignore") + f"_{what}"


def create_table(
    conn: Connection, what: str, schema: str, name: str, queries: Iterable[sql.Composed]
) -> None:
    """Create a table of ours.

    Raises:
        TargetError: The user may not create it there, or the target is read-only.
        LedgerError: Its schema does not exist.
    """
    from psycopg import errors

    try:
        with conn.transaction():
            for query in queries:
                conn.execute(query)
    except errors.InsufficientPrivilege:
        raise TargetError(
            f"User {conn.info.user} may not create the {what} {schema}.{name}.",
            next_step=f'GRANT CREATE ON SCHEMA "{schema}" TO "{conn.info.user}";',
            sqlstate="42501",
        ) from None
    except errors.ReadOnlySqlTransaction:
        raise read_only_error(conn) from None
    except errors.InvalidSchemaName:
        raise LedgerError(
            f"The {what}'s schema {schema} does not exist.",
            next_step=f'CREATE SCHEMA "{schema}";',
            sqlstate="3F000",
        ) from None
