"""The journal: how far a script got that is not one transaction. Reads and writes its table.

It stands beside the ledger and holds unfinished work only: its rows go in the transaction
that writes, or erases, the ledger row. A batch in a transaction commits with its entry; a
statement outside transactions has one that is committed before it starts and again when it
is over, so a killed run is known to have stopped inside it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from confiture_flows.errors import LedgerError
from confiture_flows.migrations._tables import create_table, named_blocks, side_table_name
from confiture_flows.migrations.lock import lock_held_sql
from confiture_flows.sql.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from psycopg import Connection, sql

    from confiture_flows.migrations.ledger import LedgerTable
    from confiture_flows.sql.script import Batch

    Query = tuple[sql.Composed, dict[str, Any]]

_FILE = "journal.sql"
_LONGEST_SQL = 10_000  # characters of a statement that are kept, for messages and recognition


@dataclass(frozen=True, slots=True)
class Entry:
    """A batch that was begun.

    Attributes:
        version: Of the migration.
        direction: "up" or "down".
        batch: 0-based place in the script.
        statement: 1-based number of its first statement.
        statements: How many it has.
        sql: Of its first statement, passwords masked.
        checksum: Of what it runs.
        file_checksum: Of the file at that time.
        done: Whether it is over and committed; False is unknown.
        noted: What the catalog held before it.
        run: Who ran it.
        started_at: When.
    """

    version: str
    direction: str
    batch: int
    statement: int
    statements: int
    sql: str
    checksum: str
    file_checksum: str
    done: bool
    noted: dict[str, Any] = field(default_factory=dict)
    run: str = ""
    started_at: datetime | None = None

    def values(self) -> dict[str, Any]:
        """The parameters of the query that writes it."""
        return {
            "version": self.version,
            "direction": self.direction,
            "batch": self.batch,
            "statement": self.statement,
            "statements": self.statements,
            "sql": self.sql,
            "checksum": self.checksum,
            "file_checksum": self.file_checksum,
            "state": "done" if self.done else "started",
            "noted": json.dumps(self.noted),
            "run": self.run,
        }


@dataclass(frozen=True, slots=True)
class JournalTable:
    """Where the journal is or will be; names are unquoted."""

    schema: str
    name: str
    exists: bool

    def query(self, block: str, database: str = "") -> sql.Composed:
        """A block of journal.sql with the table's name in it."""
        return _query(self, block, database)

    def write(self, entry: Entry, database: str) -> Query:
        """The query that writes an entry, or brings it up to date."""
        return self.query("write", database), entry.values()

    def forget(self, version: str, direction: str, batch: int | None = None) -> Query:
        """The query that takes an entry out, or all of a migration."""
        values = {"version": version, "direction": direction, "batch": batch}
        return self.query("forget"), values


@cache
def _query(table: JournalTable, block: str, database: str) -> sql.Composed:
    from psycopg import sql

    return sql.SQL(named_blocks(_FILE)[block]).format(  # pyright: ignore[reportArgumentType]
        journal=sql.Identifier(table.schema, table.name),
        lock_held=sql.SQL(lock_held_sql(database)),  # pyright: ignore[reportArgumentType]
    )


def locate_journal(conn: Connection, ledger: LedgerTable) -> JournalTable:
    """Find the journal of a ledger, in the ledger's schema."""
    schema, name = ledger.schema, side_table_name(ledger, "journal")
    query = named_blocks(_FILE)["locate"].encode()
    return JournalTable(schema, name, conn.execute(query, (schema, name)).fetchone() is not None)


def create_journal(conn: Connection, table: JournalTable) -> JournalTable:
    """Create the journal if it is not there.

    Raises:
        TargetError: The user may not create it there, or the target is read-only.
    """
    if not table.exists:
        create_table(conn, "journal", table.schema, table.name, [table.query("create")])
    return replace(table, exists=True)


def read_journal(conn: Connection, table: JournalTable) -> tuple[Entry, ...]:
    """All entries, by version, direction and batch; none if there is no journal.

    Raises:
        LedgerError: The journal may not be read.
    """
    if not table.exists:
        return ()
    from psycopg import errors

    try:
        rows = conn.execute(table.query("read"), binary=True).fetchall()
    except errors.InsufficientPrivilege:
        raise LedgerError(
            f"User {conn.info.user} may not read the journal {table.schema}.{table.name}.",
            next_step=f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{table.schema}"."{table.name}" '
            f'TO "{conn.info.user}";',
            sqlstate="42501",
        ) from None
    return tuple(
        Entry(
            *row[:8],
            done=row[8] == "done",
            noted=json.loads(row[9]),
            run=row[10],
            started_at=row[11],
        )
        for row in rows
    )


def forget_entries(
    conn: Connection, table: JournalTable, migrations: Iterable[tuple[str, str]]
) -> None:
    """Take the entries of migrations out, each given by version and direction."""
    if table.exists:
        for version, direction in migrations:
            conn.execute(*table.forget(version, direction))


def batch_checksum(batch: Batch) -> str:
    """SHA-256, hex, of what a batch runs: its statements, without the comments between them.

    Of their text as the file has it: the value of a placeholder may be a secret.
    """
    digest = hashlib.sha256(batch.opening.encode())
    for part in batch.parts:
        if isinstance(part, Statement):
            digest.update(b"\0" + part.sql_as_written.encode() + b"\0")
        for block in part.copy_blocks():
            digest.update(block)
    return digest.hexdigest()


def excerpt_for_journal(batch: Batch) -> str:
    """The first statement of a batch as the journal keeps it."""
    return batch.first.masked_sql[:_LONGEST_SQL] if batch.parts else ""
