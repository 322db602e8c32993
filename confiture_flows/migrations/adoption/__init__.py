"""Ledgers of other tools: one module a tool, each with a `TOOL` value.

A tool recognises its own table by the columns and reads from it, as a value, what it has
applied. It changes nothing. A new module in this folder is a new tool; nothing else has to
name it.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from psycopg import Connection, sql

    Key = tuple[int, ...] | str


@dataclass(frozen=True, slots=True)
class ForeignEntry:
    """What another tool's ledger says of one migration.

    Attributes:
        version: As that tool writes it.
        name: The rest of the name, where the tool keeps it.
        applied_at: As the tool wrote it; without a time zone where it keeps none.
        checksum: Of the file, in that tool's own form.
        complete: False when it stopped half way, or is still running.
        note: What else there is to know, in words.
    """

    version: str
    name: str = ""
    applied_at: datetime | None = None
    checksum: str | None = None
    complete: bool = True
    note: str | None = None


@dataclass(frozen=True, slots=True)
class ForeignLedger:
    """What another tool has applied to a database.

    Attributes:
        tool: The tool's name.
        table: Schema and name of its table.
        entries: One a migration, in the table's own order.
        through: Everything up to this version is applied too, whether it has an entry or not:
            all that tools say which keep the current version only.
        question: Why a person has to say what is applied.
        note: What stays out of the entries, in words.
    """

    tool: str
    table: str
    entries: tuple[ForeignEntry, ...]
    through: str | None = None
    question: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class ForeignTable:
    """A table that may be a ledger.

    Attributes:
        schema: Unquoted.
        name: Unquoted.
        columns: Name and type of each, the type as PostgreSQL writes it.
    """

    schema: str
    name: str
    columns: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def identifier(self) -> sql.Identifier:
        """Its quoted name."""
        from psycopg import sql

        return sql.Identifier(self.schema, self.name)

    def has(self, *names: str) -> bool:
        """Whether all these columns are there."""
        return set(names) <= {name for name, _ in self.columns}


@dataclass(frozen=True, slots=True)
class Tool:
    """Another migration tool.

    Attributes:
        name: What `--from` takes.
        tables: What it calls its ledger unless told otherwise.
        recognise: Whether a table is this tool's beyond doubt.
        may_read: Whether a table can be read as this tool's, when somebody says that it is.
        read: What such a table says.
        key: A version, of its ledger or of a directory -> what the tool compares it by; None
            when it is no version to this tool.
        ordered: Whether keys are in the tool's order, not only equal or different.
        layout: Of its own directories: where a table may be this tool's, such a directory says
            that it is.
        unchanged: Content of a file, checksum in the ledger -> whether it is the file that was
            applied.
    """

    name: str
    tables: tuple[str, ...]
    recognise: Callable[[ForeignTable], bool]
    may_read: Callable[[ForeignTable], bool]
    read: Callable[[Connection, ForeignTable], ForeignLedger]
    key: Callable[[str], Key | None]
    ordered: bool = False
    layout: str | None = None
    unchanged: Callable[[bytes, str], bool] | None = None


@cache
def all_tools() -> tuple[Tool, ...]:
    """Every tool, by name."""
    modules = (
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
        if not module.name.startswith("_")
    )
    return tuple(sorted((module.TOOL for module in modules), key=lambda tool: tool.name))
