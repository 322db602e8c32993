"""The ledger: what the database remembers of its migrations. Reads and writes tb_confiture.

Having a row means that the migration is applied, always: the row commits with it. The
format is fraiseql-confiture's, so that both tools can work on one database in turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from confiture_flows.errors import LedgerError, TargetUnreachableError
from confiture_flows.migrations._tables import create_table, named_blocks
from confiture_flows.migrations.lock import lock_held_sql
from confiture_flows.migrations.migration import REPEATABLE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection, sql

_FILE = "ledger.sql"


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One applied migration.

    Attributes:
        version: The migration's identity.
        name: The rest of its name.
        applied_at: When its transaction began.
        execution_time_ms: How long it took; None if the tool that wrote the row did not say.
        checksum: Of the file as it was applied; None if that tool did not say.
        applied_by: The database user.
        archived_into: The squashed migration it went into.
    """

    version: str
    name: str
    applied_at: datetime
    execution_time_ms: int | None = None
    checksum: str | None = None
    applied_by: str | None = None
    archived_into: str | None = None

    @property
    def repeatable(self) -> bool:
        """Whether it is the last run of a repeatable migration, whose file may be gone."""
        return self.version.startswith(REPEATABLE_PREFIX)


def returned_row(values: Sequence[Any]) -> LedgerRow:
    """The row that the blocks `record` and `erase` return, whose values may still be text.

    `applied_at` comes as seconds, which no setting of a file (DateStyle) writes differently.
    """
    version, name, seconds, milliseconds, checksum, applied_by, archived_into = values
    return LedgerRow(
        version,
        name,
        datetime.fromtimestamp(float(seconds), UTC),
        None if milliseconds is None else int(milliseconds),
        checksum,
        applied_by,
        archived_into,
    )


@dataclass(frozen=True, slots=True)
class LedgerTable:
    """Where the ledger is or will be; names are unquoted."""

    schema: str
    name: str
    exists: bool

    def query(self, block: str, database: str = "", *, replacing: bool = False) -> sql.Composed:
        """A block of ledger.sql with the table's name in it.

        Args:
            block: Its name.
            database: The name of the database, for the blocks that check the run's lock.
            replacing: Whether `record` writes over the row that the version has.
        """
        return _query(self, block, database, replacing)


@cache
def _query(table: LedgerTable, block: str, database: str, replacing: bool) -> sql.Composed:
    from psycopg import sql

    return sql.SQL(named_blocks(_FILE)[block]).format(  # pyright: ignore[reportArgumentType]
        ledger=sql.Identifier(table.schema, table.name),
        lock_held=sql.SQL(lock_held_sql(database)),  # pyright: ignore[reportArgumentType]
        on_conflict=sql.SQL(named_blocks(_FILE)["on_conflict"] if replacing else ""),  # pyright: ignore[reportArgumentType]
    )


def locate_ledger(conn: Connection, name: str) -> LedgerTable:
    """Find the ledger through search_path; a qualified name says its schema itself.

    Raises:
        LedgerError: It does not exist, and search_path names no schema to create it in; or
            its schema may not be looked into.
    """
    from psycopg import errors

    schema, _, table = name.rpartition(".")
    parts = [part for part in (schema, table) if part]
    quoted = ".".join('"' + part.replace('"', '""') + '"' for part in parts)
    try:
        row = conn.execute(named_blocks(_FILE)["locate"].encode(), {"quoted": quoted}).fetchone()
    except errors.InsufficientPrivilege:
        raise LedgerError(
            f"User {conn.info.user} may not look into the ledger's schema {schema}.",
            next_step=f'GRANT USAGE ON SCHEMA "{schema}" TO "{conn.info.user}";',
            sqlstate="42501",
        ) from None
    if row:
        return LedgerTable(row[0], row[1], exists=True)
    if schema:
        return LedgerTable(schema, table, exists=False)
    home = conn.execute(named_blocks(_FILE)["home"].encode()).fetchone()
    if home is None or home[0] is None:
        raise LedgerError(
            "search_path names no schema that exists, so there is no place for the ledger.",
            next_step="Create the schema, or name the ledger as schema.table in the "
            "configuration of the target.",
        )
    return LedgerTable(home[0], table, exists=False)


def create_ledger(conn: Connection, table: LedgerTable) -> LedgerTable:
    """Create the ledger if it is not there.

    Raises:
        TargetError: The user may not create it there, or the target is read-only.
        LedgerError: Its schema does not exist.
    """
    if table.exists:
        return table
    queries = (table.query("create"), table.query("create_indexes"))
    create_table(conn, "ledger", table.schema, table.name, queries)
    return LedgerTable(table.schema, table.name, exists=True)


def read_ledger(conn: Connection, name: str) -> tuple[LedgerRow, ...]:
    """The ledger's rows in the order in which they were written; none if there is no ledger.

    Raises:
        LedgerError: The table is something else, or may not be read.
    """
    return read_rows(conn, locate_ledger(conn, name))


def read_rows(conn: Connection, table: LedgerTable) -> tuple[LedgerRow, ...]:
    """The rows of a ledger that was located.

    Raises:
        LedgerError: See `read_ledger`.
    """
    if not table.exists:
        return ()
    from psycopg import errors

    try:
        # Binary, since psycopg reads times as text in the ISO style only.
        return tuple(LedgerRow(*row) for row in conn.execute(table.query("read"), binary=True))
    except (errors.UndefinedColumn, errors.WrongObjectType) as error:
        raise LedgerError(
            f"{table.schema}.{table.name} is not a ledger: {error.diag.message_primary}.",
            next_step="Name another table as `ledger` in the configuration of the target.",
            sqlstate=error.sqlstate,
        ) from None
    except errors.OperationalError as error:
        if not (conn.closed or conn.broken):
            raise
        raise TargetUnreachableError(
            "The connection broke while the ledger was read.", next_step="Run again."
        ) from error
    except errors.InsufficientPrivilege:
        raise LedgerError(
            f"User {conn.info.user} may not read the ledger {table.schema}.{table.name}.",
            next_step=f'GRANT SELECT, INSERT, DELETE ON "{table.schema}"."{table.name}" '
            f'TO "{conn.info.user}";',
            sqlstate="42501",
        ) from None
