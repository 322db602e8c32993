"""Statements of one script -> the transactions they run in. Pure: no database.

Three ways, of which the first is what nearly every file wants:

- auto: one transaction for the whole script. What PostgreSQL refuses inside a
  transaction is recognised and stands alone; the statements between form
  transactions of their own. A BEGIN ... COMMIT around the whole file is honoured.
- none: every statement stands alone.
- as-written: the file's own BEGIN and COMMIT are obeyed.

Refuses a COMMIT in the middle of a file that does not say as-written: half of the
migration would stay for good if the other half failed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from confiture_flows.errors import MigrationFileError
from confiture_flows.sql.statements import Statement
from confiture_flows.sql.transactions import TransactionCommand

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_flows.sql.passage import Passage

    Part = Statement | Passage


class TransactionMode(StrEnum):
    """How a script's statements are put into transactions."""

    AUTO = "auto"
    NONE = "none"
    AS_WRITTEN = "as-written"


_MODES = frozenset(mode.value for mode in TransactionMode)


@dataclass(frozen=True, slots=True)
class Batch:
    """Statements that commit together.

    Attributes:
        parts: Its statements in order; exactly one when not transactional. A passage stands for
            many of a large file.
        transactional: Whether they run inside a transaction.
        opening: The statement that begins the transaction; a file's own BEGIN keeps its
            isolation level.
        keep: False when the file itself ends the transaction with ROLLBACK.
    """

    parts: tuple[Part, ...]
    transactional: bool = True
    opening: str = "BEGIN"
    keep: bool = True

    @property
    def first(self) -> Statement:
        """Its first statement."""
        return self.parts[0].statements()[0]

    @property
    def statements(self) -> tuple[Statement, ...]:
        """All of them, which may be a great many: those of passages are read for it."""
        return tuple(statement for part in self.parts for statement in part.statements())

    @property
    def count(self) -> int:
        """How many statements it has."""
        return sum(part.count for part in self.parts)


_COMMENT = re.compile(r"\s*(?:--(?P<line>[^\r\n]*)|/\*(?P<block>.*?)\*/)", re.DOTALL)
_MARKER = re.compile(r"\s*confiture:\s*(?P<key>[\w-]+)\s*=\s*(?P<value>.*?)\s*$")
# fraiseql-confiture writes directives of its own, such as `-- confiture:tier additive`.
_ALMOST_MARKER = re.compile(r"\s*confiture\W+(?:no[-_ ]?)?trans", re.IGNORECASE)
# What a procedure or block needs so that it may end transactions itself.
_MAY_COMMIT = re.compile(r"\b(commit|rollback|call)\b", re.IGNORECASE)


def read_marker(text: str, path: Path, first_line: int = 1) -> TransactionMode | None:
    """Read `-- confiture: transaction=...` from the leading comments of a script.

    Raises:
        MigrationFileError: A confiture marker that means nothing, most likely misspelt.
    """
    found: TransactionMode | None = None
    at = 0
    while match := _COMMENT.match(text, at):
        at = match.end()
        comment = match["line"] or match["block"] or ""
        marker = _MARKER.match(comment)
        if marker is None and not _ALMOST_MARKER.match(comment):
            continue
        if marker and marker["key"] == "transaction" and marker["value"] in _MODES:
            found = TransactionMode(marker["value"])
            continue
        raise MigrationFileError(
            f"Unknown marker: {comment.strip()}",
            file=path,
            line=first_line + text.count("\n", 0, match.start(match.lastgroup or 0)),
            next_step="Markers are `-- confiture: transaction=auto`, transaction=none and "
            "transaction=as-written.",
        )
    return found


def split_batches(
    statements: tuple[Part, ...], mode: TransactionMode, path: Path
) -> tuple[Batch, ...]:
    """Put the statements of a script into transactions.

    Raises:
        MigrationFileError: Transaction control that `mode` does not allow, or a
            transaction that is opened and never closed.
    """
    if mode is TransactionMode.AS_WRITTEN:
        return _Boundaries(path, as_written=True).split(_marked_enums(statements))
    opening = _own_begin(statements) if mode is TransactionMode.AUTO else None
    inner = statements[1:-1] if opening else statements
    _refuse_transaction_control(inner, path)
    if opening:
        _refuse_outsiders(inner, path)
        return (Batch(inner, opening=opening.sql),) if inner else ()
    if mode is TransactionMode.NONE:
        return tuple(_alone(statement) for part in inner for statement in part.statements())
    return _Boundaries(path).split(_marked_enums(inner))


def _refuse_transaction_control(statements: tuple[Part, ...], path: Path) -> None:
    control = [each for each in statements if isinstance(each, Statement) and each.command]
    if not control:
        return
    # What ends a transaction does the harm; a BEGIN before it is harmless by itself.
    ends = (each for each in control if each.command is not TransactionCommand.BEGIN)
    culprit = next(ends, control[0])
    harm = (
        "begins a transaction that is never ended."
        if culprit.command is TransactionCommand.BEGIN
        else "would end the migration's transaction, so a later failure could not be rolled back."
    )
    raise MigrationFileError(
        f"{culprit.excerpt} {harm}",
        file=culprit.file or path,
        line=culprit.line,
        statement=culprit.number,
        excerpt=culprit.excerpt,
        next_step="Take it out, split the file, or put "
        "`-- confiture: transaction=as-written` on its first line.",
    )


def _own_begin(statements: tuple[Part, ...]) -> Statement | None:
    """The BEGIN of a file that is wrapped in BEGIN ... COMMIT."""
    commands = [statement.command for statement in statements]
    wrapped = (
        len(commands) >= 2
        and commands[0] is TransactionCommand.BEGIN
        and commands[-1] is TransactionCommand.COMMIT
        and not any(commands[1:-1])
    )
    return statements[0].statements()[0] if wrapped else None


def _refuse_outsiders(statements: tuple[Part, ...], path: Path) -> None:
    for statement in statements:
        if isinstance(statement, Statement) and statement.forbids_transaction:
            raise MigrationFileError(
                f"{statement.forbids_transaction} cannot run inside the file's own "
                "BEGIN ... COMMIT.",
                file=statement.file or path,
                line=statement.line,
                statement=statement.number,
                excerpt=statement.excerpt,
                next_step="Take the BEGIN and COMMIT out; what must stand alone is recognised.",
            )


def _marked_enums(statements: tuple[Part, ...]) -> tuple[Part, ...]:
    """Let an added enum value stand alone when a later statement names it.

    PostgreSQL allows ADD VALUE in a transaction, but not the use of the value before
    its commit (55P04).
    """
    marked = list(statements)
    for index, statement in enumerate(statements):
        if not isinstance(statement, Statement) or statement.enum_value is None:
            continue
        literal = "'" + statement.enum_value.replace("'", "''") + "'"
        if any(later.mentions(literal) for later in statements[index + 1 :]):
            marked[index] = replace(
                statement, forbids_transaction="ALTER TYPE ... ADD VALUE of a value used below"
            )
    return tuple(marked)


def _may_commit(statement: Statement) -> bool:
    return statement.kind == "call_stmt" or (
        statement.kind == "do_stmt" and _MAY_COMMIT.search(statement.sql) is not None
    )


def _alone(statement: Statement) -> Batch:
    may_commit = _may_commit(statement)
    return Batch((replace(statement, may_commit=may_commit),), transactional=False)


@dataclass
class _Boundaries:
    """Walks statements and closes a batch wherever a transaction must end."""

    path: Path
    as_written: bool = False
    batches: list[Batch] = field(default_factory=list)
    pending: list[Part] = field(default_factory=list)
    begin: Statement | None = None

    def split(self, statements: tuple[Part, ...]) -> tuple[Batch, ...]:
        for statement in statements:
            if isinstance(statement, Statement):
                self._take(statement)
            else:
                self.pending.append(statement)
        if self.begin is not None:
            raise MigrationFileError(
                "The transaction that is opened here is never closed.",
                file=self.begin.file or self.path,
                line=self.begin.line,
                statement=self.begin.number,
                excerpt=self.begin.excerpt,
                next_step="Add the COMMIT, or take the BEGIN out.",
            )
        self._close()
        return tuple(self.batches)

    def _take(self, statement: Statement) -> None:
        match statement.command:
            case TransactionCommand.BEGIN if self.begin is None:
                self._close()
                self.begin = statement
            case TransactionCommand.BEGIN:
                pass  # the server only warns about a BEGIN inside a transaction
            case TransactionCommand.COMMIT:
                self._close()
            case TransactionCommand.ROLLBACK:
                self._close(keep=False)
            case TransactionCommand.OTHER:
                raise MigrationFileError(
                    f"{statement.excerpt} ends a transaction in a way that cannot be followed.",
                    file=statement.file or self.path,
                    line=statement.line,
                    statement=statement.number,
                    excerpt=statement.excerpt,
                    next_step="Use plain COMMIT, or run this statement by hand.",
                )
            case None if self._stands_alone(statement):
                self._close()
                self.batches.append(_alone(statement))
            case None:
                self.pending.append(statement)

    def _stands_alone(self, statement: Statement) -> bool:
        if self.begin is not None:
            return False
        return statement.forbids_transaction is not None or (
            self.as_written and _may_commit(statement)
        )

    def _close(self, *, keep: bool = True) -> None:
        if self.pending:
            opening = self.begin.sql if self.begin else "BEGIN"
            # A ROLLBACK outside the file's own transaction has nothing to take back.
            kept = keep or self.begin is None
            self.batches.append(Batch(tuple(self.pending), opening=opening, keep=kept))
        self.pending, self.begin = [], None
