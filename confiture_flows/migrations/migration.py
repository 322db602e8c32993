"""Migration and Script: what a layout finds on disk. Pure values; a script is read when needed.

A script is SQL (`Script`) or Python (`python_script.PythonScript`); `Runnable` is what the engine
asks of both.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from confiture_flows.errors import MigrationFileError
from confiture_flows.sql.include import Piece, expand
from confiture_flows.sql.large import FileState, file_state
from confiture_flows.sql.pieces import is_large, large_pieces, read_passage
from confiture_flows.sql.placeholders import hide_values
from confiture_flows.sql.script import Batch, TransactionMode, read_marker, split_batches
from confiture_flows.sql.source import blocks_of, cannot_read, read_source
from confiture_flows.sql.statements import split_once, split_statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from confiture_flows.sql.placeholders import Filled, Placeholders
    from confiture_flows.sql.script import Part
    from confiture_flows.sql.statements import Statement

REPEATABLE_PREFIX = "R__"  # starts the version of what has no place in the order


class Runnable(Protocol):
    """A way up or down, in whatever language it is written."""

    @property
    def path(self) -> Path:
        """The file."""
        ...

    def text(self) -> str:
        """The text as the file has it."""
        ...

    def pieces(self) -> Iterable[Piece]:
        """The text and what it includes, in the order in which it runs."""
        ...

    def content(self) -> Iterator[bytes]:
        """All that decides what is executed, values of placeholders included; never to be shown."""
        ...

    def batches(self) -> tuple[Batch, ...]:
        """What runs, in its transactions. Raises MigrationFileError where it cannot."""
        ...

    def manner(self) -> str:
        """How it is put into transactions, in words."""
        ...

    def without_values(self, message: str) -> str:
        """What the server says of the script, without the values of placeholders."""
        ...


@dataclass(frozen=True, slots=True)
class Script:
    """SQL to run: a file, or the lines of a file that hold one direction.

    Attributes:
        path: The file.
        lines: First and last line, 1-based and inclusive; None is the whole file.
        transaction: What the layout says of this file (goose's NO TRANSACTION, for one).
        none_if_starts: A first line that starts so, in any case, means `none`; it is looked for
            when the script is read, since most scripts of a directory never are.
        as_written: Whether the directory allows the file's own BEGIN and COMMIT.
        literal: Whether ${name} stands for itself here, whatever the project says.
        placeholders: The values for ${name}; None leaves it as it stands.
        root: What it includes lies in this folder; None is the file's own.
    """

    path: Path
    lines: tuple[int, int] | None = None
    transaction: TransactionMode = TransactionMode.AUTO
    as_written: bool = False
    none_if_starts: str = ""
    literal: bool = False
    placeholders: Placeholders | None = field(default=None, repr=False)
    root: Path | None = None

    def text(self) -> str:
        """The SQL text as the file has it.

        Raises:
            MigrationFileError: See `confiture_flows.sql.source.read_source`.
        """
        text = read_source(self.path)
        if self.lines is None:
            return text
        first, last = self.lines
        return "\n".join(text.split("\n")[first - 1 : last])

    def pieces(self) -> Iterable[Piece]:
        """The text and what it includes, in the order in which it runs.

        Raises:
            MigrationFileError: A file cannot be read, or an include not followed.
        """
        if is_large(self.path):
            return large_pieces(self.path, self.lines, self._root)
        return self._expand(self.text())

    def content(self) -> Iterator[bytes]:
        """All that decides what is executed, values of placeholders included; never to be shown.

        Raises:
            MigrationFileError: A file cannot be read, or an include not followed.
        """
        manner = (self.transaction.value, self.as_written, self.none_if_starts, self.literal)
        yield repr((self.path.name, manner, self.placeholders is not None)).encode()
        large = is_large(self.path)
        if large:  # the rows of its COPY blocks are in no piece
            yield from blocks_of(self.path)
        for piece in self.pieces():
            yield piece.text.encode()
            if self.placeholders:
                yield repr(self.placeholders.given(None if large else piece.text)).encode()

    def batches(self) -> tuple[Batch, ...]:
        """The script's statements in their transactions.

        Raises:
            MigrationFileError: The file cannot be read, parsed, or run as it stands.
        """
        if is_large(self.path):
            return _large_batches(self, self._state())
        text = self.text()
        statements = tuple(self._statements(self._expand(text)))
        return self._in_transactions(statements, text)

    def _in_transactions(self, statements: tuple[Part, ...], text: str) -> tuple[Batch, ...]:
        marker = read_marker(text, self.path, self._first_line)
        if marker is not None:
            return split_batches(statements, marker, self.path)
        mode = self.transaction
        first = text.lstrip("\ufeff").partition("\n")[0].strip().lower()
        if self.none_if_starts and first.startswith(self.none_if_starts):
            mode = TransactionMode.NONE
        own_control = any(statement.command for statement in statements)
        if self.as_written and (own_control or mode is TransactionMode.AUTO):
            mode = TransactionMode.AS_WRITTEN
        return split_batches(statements, mode, self.path)

    def manner(self) -> str:
        """How its statements are put into transactions, in words.

        Raises:
            MigrationFileError: See `batches`.
        """
        batches = self.batches()
        count = sum(batch.count for batch in batches)
        many = "1 statement" if count == 1 else f"{count} statements"
        if len(batches) <= 1 and all(batch.transactional for batch in batches):
            return f"{many}, one transaction"
        steps = "1 step" if len(batches) == 1 else f"{len(batches)} steps"
        reasons = (part.forbids_transaction for batch in batches for part in batch.parts)
        alone = next(filter(None, reasons), "")
        return f"{many}, {steps}{f' ({alone})' if alone else ''}"

    @property
    def _first_line(self) -> int:
        return self.lines[0] if self.lines else 1

    def _expand(self, text: str) -> tuple[Piece, ...]:
        return expand(text, self.path, self._first_line, self._root)

    @property
    def _root(self) -> Path:
        return self.root or self.path.parent

    def _state(self) -> FileState:
        try:
            return file_state(self.path)
        except OSError as error:
            raise cannot_read(self.path, error) from error

    def without_values(self, message: str) -> str:
        """What the server says of the script, with `${name}` in the place of values."""
        if self.placeholders is None:
            return message
        values: dict[str, str] = {}
        try:
            for piece in self.pieces():
                values |= self.placeholders.used(piece.text)
        except MigrationFileError:  # gone meanwhile
            values = dict(self.placeholders.values)
        return hide_values(message, {f"${{{name}}}": value for name, value in values.items()})

    def _statements(self, pieces: Iterable[Piece]) -> Iterator[Part]:
        number = 0
        for piece in pieces:
            if passage := read_passage(piece, number + 1, self.placeholders):
                number += passage.count
                yield passage
                continue
            text, filled = piece.text, ()
            if self.placeholders:
                text, filled = self.placeholders.fill(text, piece.path, piece.first_line)
            for statement in self._split(piece, text, filled):
                number += 1
                yield statement if number == statement.number else replace(statement, number=number)

    def _split(self, piece: Piece, text: str, filled: tuple[Filled, ...]) -> tuple[Statement, ...]:
        # What is read of a large file is not kept twice.
        split = split_statements if piece.source else split_once
        try:
            found = split(text, piece.path, piece.first_line, filled)
        except MigrationFileError as error:
            last = piece.first_line + piece.text.rstrip().count("\n")
            if piece.cut and error.line == last:
                error.next_step = "The include below cuts it; it has to stand between statements."
            raise
        if not (found and piece.source and piece.source.rows):
            return found
        copy = replace(found[0], copy_data=piece.source.rows, row_values=self.placeholders)
        if self.placeholders:
            for _checked in copy.copy_blocks():
                pass
        return (copy,)


# What is held of a large file is little. It is read twice: to know that all of it can be run,
# and to run it.
@lru_cache(maxsize=16)
def _large_batches(script: Script, state: FileState) -> tuple[Batch, ...]:
    """The batches of a large file, for as long as the file is in that state."""
    head: list[str] = []

    def watched() -> Iterator[Piece]:
        for piece in script.pieces():
            if not head:
                head.append(piece.text)
            yield piece

    statements = tuple(script._statements(watched()))
    return script._in_transactions(statements, "".join(head))


@dataclass(frozen=True, slots=True)
class Migration:
    """One version: the way up, and where they exist the way down and the check.

    Attributes:
        version: Identity, as the layout's own tool sees it; unique in a directory.
        name: The rest of the name, for people.
        up: The script that applies it.
        down: The script that takes it back.
        verify: A script whose statements must succeed after the migration.
        checksum: See `confiture_flows.migrations.checksum`.
        repeatable: Whether it runs after all versions, again whenever its checksum changes. It
            has no way down, and its version is no place in the order.
        title: What a Python migration says of itself, in a line.
    """

    version: str
    name: str
    up: Runnable
    checksum: str
    down: Runnable | None = None
    verify: Script | None = None
    repeatable: bool = False
    title: str = ""

    @property
    def language(self) -> str:
        """What its way up is written in: "SQL" or "Python"."""
        return "Python" if self.up.path.suffix == ".py" else "SQL"

    @property
    def shown_name(self) -> str:
        """What it is called in tables."""
        return self.title or self.name

    @property
    def label(self) -> str:
        """Version and name as one word: "0042_add_users"; the name may be the version."""
        return (
            self.version
            if self.repeatable or self.name in ("", self.version)
            else f"{self.version}_{self.name}"
        )
