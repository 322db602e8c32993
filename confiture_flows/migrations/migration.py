"""Migration and Script: what a layout finds on disk. Pure values; a script is read when needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from confiture_flows.sql.script import Batch, TransactionMode, read_marker, split_batches
from confiture_flows.sql.source import read_source
from confiture_flows.sql.statements import split_statements

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Script:
    """SQL to run: a file, or the lines of a file that hold one direction.

    Attributes:
        path: The file.
        lines: First and last line, 1-based and inclusive; None is the whole file.
        transaction: What the layout says of this file (goose's NO TRANSACTION, for one).
        as_written: Whether the directory allows the file's own BEGIN and COMMIT.
    """

    path: Path
    lines: tuple[int, int] | None = None
    transaction: TransactionMode = TransactionMode.AUTO
    as_written: bool = False

    def text(self) -> str:
        """The SQL text.

        Raises:
            MigrationFileError: See `confiture_flows.sql.source.read_source`.
        """
        text = read_source(self.path)
        if self.lines is None:
            return text
        first, last = self.lines
        return "\n".join(text.split("\n")[first - 1 : last])

    def batches(self) -> tuple[Batch, ...]:
        """The script's statements in their transactions.

        Raises:
            MigrationFileError: The file cannot be read, parsed, or run as it stands.
        """
        text = self.text()
        first_line = self.lines[0] if self.lines else 1
        statements = split_statements(text, self.path, first_line)
        marker = read_marker(text, self.path, first_line)
        if marker is not None:
            return split_batches(statements, marker, self.path)
        mode = self.transaction
        own_control = any(statement.command for statement in statements)
        if self.as_written and (own_control or mode is TransactionMode.AUTO):
            mode = TransactionMode.AS_WRITTEN
        return split_batches(statements, mode, self.path)


@dataclass(frozen=True, slots=True)
class Migration:
    """One version: the way up, and where they exist the way down and the check.

    Attributes:
        version: Identity, as the layout's own tool sees it; unique in a directory.
        name: The rest of the name, for people.
        up: The script that applies it.
        down: The script that takes it back.
        verify: A script whose statements must succeed after the migration.
        checksum: SHA-256, hex, of the raw bytes of the file of `up`.
    """

    version: str
    name: str
    up: Script
    checksum: str
    down: Script | None = None
    verify: Script | None = None

    @property
    def label(self) -> str:
        """Version and name as one word: "0042_add_users"; the name may be the version."""
        return self.version if self.name in ("", self.version) else f"{self.version}_{self.name}"
