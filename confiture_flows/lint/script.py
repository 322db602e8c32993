"""The text of a script -> its statements, and which of them share a transaction. Pure."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import field
from typing import TYPE_CHECKING, TypeAlias

from confiture_flows.errors import MigrationFileError
from confiture_flows.sql import operation as op
from confiture_flows.sql.operations import ReadStatement, read_once
from confiture_flows.sql.script import TransactionMode, read_marker
from confiture_flows.sql.value import value
from confiture_flows.sql.work import work_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from confiture_flows.lint.state import KnownState
    from confiture_flows.migrations.migration import Runnable, Script
    from confiture_flows.sql.parts import ObjectName
    from confiture_flows.sql.work import TableLock


# An operation, and one of the locks that it takes.
Lock: TypeAlias = "tuple[op.Operation, TableLock]"


@value()
class LintedScript:
    """A script as the rules see it.

    Attributes:
        path: The file.
        text: What was read, with the values of placeholders.
        first_line: The file's line on which it starts.
        statements: In order.
        transactions: The number of the transaction of each; None where it stands alone.
        own_begin: Whether each stands inside the file's own BEGIN and COMMIT.
        filled: Whether values stand in the place of placeholders, so that places are not the
            file's.
        begun: Whether what comes before it has begun a transaction and not ended it: a script
            that includes files, and a large file, come in pieces.
        more: Whether another piece follows.
        first: Whether no piece comes before it.
        byte: Where it starts in a large file, of which it is a piece.
    """

    path: Path
    text: str
    first_line: int
    statements: tuple[ReadStatement, ...]
    transactions: tuple[int | None, ...]
    own_begin: tuple[bool, ...]
    filled: bool = False
    begun: bool = False
    more: bool = False
    first: bool = True
    byte: int | None = None
    _on_tables: dict[ObjectName, tuple[list[int], list[op.Operation]]] = field(
        default_factory=dict, repr=False, compare=False
    )
    _locks: list[tuple[Lock, ...]] = field(default_factory=list, repr=False, compare=False)
    _first_locks: dict[ObjectName, int] = field(default_factory=dict, repr=False, compare=False)

    @property
    def locks(self) -> list[tuple[Lock, ...]]:
        """What each statement locks, and which of its operations does, the last one first.

        Made once: what a statement locks is asked of all that come after it.
        """
        if not self._locks and self.statements:
            self._locks.extend(
                tuple(
                    [(each, lock) for each in one.operations[::-1] for lock in work_of(each).locks]
                )
                for one in self.statements
            )
        return self._locks

    def first_lock(self, table: ObjectName) -> int | None:
        """The number of the first statement that locks something by that name."""
        if not self._first_locks:
            for number, locks in enumerate(self.locks):
                for _, lock in locks:
                    self._first_locks.setdefault(lock.name, number)
        return self._first_locks.get(table)

    def on_table(self, table: ObjectName) -> tuple[list[int], list[op.Operation]]:
        """The numbers of the statements that do something to a table by that name, and what.

        Made once: rules ask for each of a hundred thousand tables of a large script.
        """
        if not self._on_tables:
            for number, statement in enumerate(self.statements):
                for each in statement.operations:
                    one = getattr(each, "table", None)
                    for name in getattr(each, "tables", ()) if one is None else (one,):
                        numbers, found = self._on_tables.setdefault(name, ([], []))
                        numbers.append(number)
                        found.append(each)
        return self._on_tables.get(table, ([], []))

    @property
    def alone(self) -> bool:
        """Whether it has one statement and is all of its script."""
        return len(self.statements) == 1 and self.first and not self.more

    @property
    def left_open(self) -> bool:
        """Whether a transaction that the file has begun is open at its end."""
        return self.own_begin[-1] if self.own_begin else self.begun


@value(kw_only=True)
class End(op.Operation):
    """The end of a migration, for rules that ask what it leaves behind.

    Attributes:
        before: What there was before it.
        undone: What there is after its way back; None where there is none, or not all is known.
        down: Its way back.
        orders: The pairs of tables that earlier files of the set lock in that order, and where.
    """

    before: KnownState
    undone: KnownState | None = None
    down: Runnable | None = None
    orders: Mapping[tuple[ObjectName, ObjectName], str] = field(default_factory=dict)


@value(kw_only=True)
class HistoryEnd(op.Operation):
    """The end of all migrations, for a constraint that an earlier one added as NOT VALID."""

    added: op.AddConstraint


@value(kw_only=True)
class SilencingComment(op.Operation):
    """A noqa comment, and what it says besides."""

    reason: str


@value(kw_only=True)
class UnusedNoqa(op.Operation):
    """A code in a noqa comment that silences nothing; `unknown` when no rule has it."""

    word: str
    unknown: bool


def read_text(
    path: Path, text: str, mode: TransactionMode, first_line: int = 1, *, begun: bool = False
) -> LintedScript:
    """Read the text of a script, or of a piece of it."""
    statements = read_once(text)
    transactions, own = _transactions(statements, mode, begun)
    return LintedScript(path, text, first_line, statements, transactions, own, begun=begun)


def transaction_mode(script: Script, text: str) -> TransactionMode:
    """What the beginning of a script, or its layout, says of its transactions."""
    with suppress(MigrationFileError):  # validation tells of a wrong marker
        if marker := read_marker(text, script.path):
            return marker
    first = text.lstrip("\ufeff").partition("\n")[0].strip().lower()
    if script.none_if_starts and first.startswith(script.none_if_starts):
        return TransactionMode.NONE
    return script.transaction


def _transactions(
    statements: tuple[ReadStatement, ...], mode: TransactionMode, begun: bool
) -> tuple[tuple[int | None, ...], tuple[bool, ...]]:
    numbers: list[int | None] = []
    own: list[bool] = []
    current, inside = 0, begun
    for statement in statements:
        first = statement.operations[0] if statement.operations else None
        if isinstance(first, op.TransactionControl):
            if first.command in ("begin", "commit", "rollback"):
                inside = first.command == "begin"
                current += 1
            numbers.append(current if inside else None)
            own.append(inside)
        elif inside:
            numbers.append(current)
            own.append(True)
        elif mode is TransactionMode.NONE or (first and stands_alone(first)):
            current += 1
            numbers.append(None)
            own.append(False)
        else:
            numbers.append(current)
            own.append(False)
    return tuple(numbers), tuple(own)


def stands_alone(operation: op.Operation) -> bool:
    """Whether PostgreSQL refuses an operation inside a transaction."""
    match operation:
        case op.CreateIndex(concurrently=True) | op.DropObject(concurrently=True):
            return True
        case op.ChangePartition(concurrently=True):
            return True
        case op.Maintain(command="reindex", concurrently=True):
            return True
        case op.Maintain(command="vacuum" | "vacuum full"):
            return True
        case op.CreateObject(object_kind="database" | "tablespace"):
            return True
        case _:
            return False
