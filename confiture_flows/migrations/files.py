"""What the files of a migration were when it was applied: a side table of ours beside the ledger.

A row goes with the ledger row, in its transaction, and comes soon after it. It holds texts as the
files have them, placeholders unfilled, and the checksum of the way back. Migrations that another
tool applied, or an earlier version of this package, have none; then nothing is compared.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from confiture_flows.errors import MigrationFileError, TargetError
from confiture_flows.migrations._tables import create_table, named_blocks, side_table_name
from confiture_flows.migrations.checksum import script_checksum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection, sql

    from confiture_flows.migrations.ledger import LedgerTable
    from confiture_flows.migrations.migration import Migration, Runnable

    Query = tuple[sql.Composed, dict[str, Any]]

_FILE = "files.sql"
_LONGEST_BATCH, _LARGEST_BATCH = 500, 4_000_000  # rows and characters that a run holds back
_LONGEST_TEXT = 1_000_000  # bytes of a file whose text is kept; of a larger one only the checksum


@dataclass(frozen=True, slots=True)
class Kept:
    """The files of a migration as they are now; a text that is too long or unreadable is None."""

    version: str
    up_text: str | None
    down_checksum: str | None
    down_text: str | None

    @classmethod
    def of(cls, migration: Migration, encoding: str) -> Kept:
        """Read them, for a database of that encoding, as PostgreSQL names it."""
        down = migration.down
        return cls(
            migration.version,
            storable(applied_text(migration.up), encoding),
            down_checksum(down),
            storable(applied_text(down), encoding) if down else None,
        )

    @property
    def size(self) -> int:
        """About how many characters it holds."""
        return len(self.up_text or "") + len(self.down_text or "")


@dataclass(slots=True)
class Keeper:
    """Writes down the files of what a run has applied, many in a statement.

    One a migration, in its transaction, made 300 small migrations 11 % slower. A run that is killed
    leaves the last ones out: then nothing is compared, and nothing wrong is said.
    """

    conn: Connection
    table: FilesTable
    waiting: list[Kept] = field(default_factory=list)
    size: int = 0

    def applied(self, migration: Migration) -> None:
        """Take the files of a migration, as they were run."""
        if not self.table.writable:
            return
        encoding = self.conn.info.parameter_status("server_encoding") or ""
        self.waiting.append(Kept.of(migration, encoding))
        self.size += self.waiting[-1].size
        if self.size > _LARGEST_BATCH or len(self.waiting) >= _LONGEST_BATCH:
            self.write()

    def write(self) -> None:
        """Write what is waiting, unless the connection cannot."""
        import psycopg
        from psycopg.pq import TransactionStatus

        if self.conn.info.transaction_status == TransactionStatus.IDLE:
            for query in self.table.keep(self.waiting):
                # It must not hide what ended the run, nor fail one that has done its work.
                with suppress(psycopg.Error):
                    self.conn.execute(*query)
            self.waiting, self.size = [], 0


@dataclass(frozen=True, slots=True)
class FilesTable:
    """Where the files of applied migrations are kept; names are unquoted.

    Attributes:
        schema: The ledger's.
        name: From `side_table_name`.
        ledger: The ledger's own name.
        exists: Whether it is there.
        readable: Whether the user may read it.
        writable: Whether the user may write it. A run that may not goes without.
    """

    schema: str
    name: str
    ledger: str
    exists: bool = False
    readable: bool = False
    writable: bool = False

    def query(self, block: str) -> sql.Composed:
        """A block of files.sql with the tables' names in it."""
        return _query(self.schema, self.name, self.ledger, block)

    def keep(self, kept: Sequence[Kept]) -> tuple[Query, ...]:
        """What writes down the files of migrations that have ledger rows."""
        if not self.writable or not kept:
            return ()
        columns = ("version", "up_text", "down_checksum", "down_text")
        values = {name: [getattr(each, name) for each in kept] for name in columns}
        return ((self.query("keep"), values),)

    def forget(self, version: str) -> tuple[Query, ...]:
        """What takes the files of a migration out."""
        return ((self.query("forget"), {"version": version}),) if self.writable else ()


@cache
def _query(schema: str, name: str, ledger: str, block: str) -> sql.Composed:
    from psycopg import sql

    return sql.SQL(named_blocks(_FILE)[block]).format(  # pyright: ignore[reportArgumentType]
        files=sql.Identifier(schema, name), ledger=sql.Identifier(schema, ledger)
    )


def locate_files(conn: Connection, ledger: LedgerTable) -> FilesTable:
    """Find the side table of a ledger, in the ledger's schema."""
    schema, name = ledger.schema, side_table_name(ledger, "files")
    row = conn.execute(named_blocks(_FILE)["locate"].encode(), (schema, name)).fetchone()
    if row is None:
        return FilesTable(schema, name, ledger.name)
    return FilesTable(schema, name, ledger.name, exists=True, readable=row[0], writable=row[1])


def create_files(conn: Connection, table: FilesTable) -> FilesTable:
    """Create the side table if it is not there; a user who may not goes without."""
    if table.exists:
        return table
    try:
        create_table(conn, "table of files", table.schema, table.name, [table.query("create")])
    except TargetError:  # applying needs no right to create
        return table
    return replace(table, exists=True, readable=True, writable=True)


def read_down_checksums(conn: Connection, table: FilesTable) -> dict[str, str | None]:
    """The checksums of the ways back as they were, by version; None had no way back."""
    if not table.readable:
        return {}
    return dict(conn.execute(table.query("read")).fetchall())


def read_texts(
    conn: Connection, table: FilesTable, versions: Sequence[str]
) -> dict[str, tuple[str | None, str | None]]:
    """The texts of the ways up and back as they were, by version; None was not kept."""
    if not table.readable or not versions:
        return {}
    rows = conn.execute(table.query("read_texts"), (list(versions),)).fetchall()
    return {version: (up, down) for version, up, down in rows}


def down_checksum(script: Runnable | None) -> str | None:
    """The checksum of a way back; None where there is none, empty where it cannot be read."""
    if script is None:
        return None
    try:
        return script_checksum(script)
    except OSError:
        return ""


def applied_text(script: Runnable) -> str | None:
    """The text of a script with what it includes; None if that is too long, or not readable."""
    try:
        if script.path.stat().st_size > _LONGEST_TEXT:
            return None
        text = "".join(piece.text for piece in script.pieces())
    except (OSError, MigrationFileError):
        return None
    return text if len(text) <= _LONGEST_TEXT else None


def storable(text: str | None, encoding: str) -> str | None:
    """A text that a database can hold, whose encoding may lack characters of a comment."""
    if text is None or encoding == "UTF8":
        return text
    return in_ascii(text)


def in_ascii(text: str) -> str:
    """A text with escapes in the place of what is not ASCII."""
    return text.encode("ascii", "backslashreplace").decode()
