"""PythonScript: a Python file to run in one direction, beside `Script`. Pure: it runs nothing.

To the engine it is one statement whose text is the function; `functions.py` calls it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from confiture_flows.errors import MigrationFileError
from confiture_flows.migrations.python_source import outline_of, read_bytes, source_text
from confiture_flows.sql.include import Piece
from confiture_flows.sql.script import Batch
from confiture_flows.sql.statements import Statement, masked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from confiture_flows.migrations.python_source import Outline


@dataclass(frozen=True, slots=True)
class FunctionCall(Statement):
    """A call of a migration's function, as the one statement of its script.

    Attributes:
        function: "up" or "down".
        source: The bytes of the file, which are what runs.
        class_name: The class to make an instance of; None calls the function.
        transactional: Whether it is called inside the migration's transaction.
    """

    function: str = "up"
    source: bytes = b""
    class_name: str | None = None
    transactional: bool = True

    @property
    def sql_as_written(self) -> str:
        """The whole file: a helper of the function is part of what it does."""
        return self.source.decode(errors="replace")

    @property
    def masked_sql(self) -> str:
        """The function, passwords masked."""
        return masked(self.sql)

    def line_at(self, position: int | None, rows: int = 0) -> int:
        """The line itself: a position is one in the SQL that the function has sent."""
        return self.line

    def at(self, line: int) -> FunctionCall:
        """The same with a line of it in the place of the whole."""
        lines = source_text(self.source).split("\n")
        sql = lines[line - 1].strip() if line <= len(lines) else self.sql
        return replace(self, line=line, sql=sql)


@dataclass(frozen=True, slots=True)
class PythonScript:
    """A function of a Python file, or a method of the Migration class in it.

    Attributes:
        path: The file.
        function: "up" or "down".
    """

    path: Path
    function: str = "up"

    def text(self) -> str:
        """The file as text.

        Raises:
            MigrationFileError: It cannot be read, or is not Python.
        """
        try:
            return source_text(read_bytes(self.path))
        except (SyntaxError, UnicodeDecodeError) as error:
            raise MigrationFileError(f"It is not valid Python: {error}.", file=self.path) from None

    def pieces(self) -> tuple[Piece, ...]:
        """The text; Python includes nothing."""
        return (Piece(self.path, 1, self.text()),)

    def content(self) -> Iterator[bytes]:
        """All that decides what is executed.

        Raises:
            MigrationFileError: See `text`.
        """
        yield self.function.encode()
        yield self.text().encode()

    def batches(self) -> tuple[Batch, ...]:
        """The call, in a transaction or alone.

        Raises:
            MigrationFileError: The file cannot be run as it stands.
        """
        data = read_bytes(self.path)
        outline = outline_of(data, self.path)
        if self.function not in outline.lines:
            raise MigrationFileError(f"It has no {self.function}().", file=self.path)
        call = FunctionCall(
            number=1,
            line=outline.lines[self.function],
            sql=outline.segments[self.function],
            kind="python",
            may_commit=not outline.transactional,
            function=self.function,
            source=data,
            file=self.path,
            class_name=outline.class_name,
            transactional=outline.transactional,
        )
        return (Batch((call,), transactional=outline.transactional),)

    def manner(self) -> str:
        """How it runs, in words.

        Raises:
            MigrationFileError: See `batches`.
        """
        outline = outline_of(read_bytes(self.path), self.path)
        return "Python, one transaction" if outline.transactional else "Python, no transaction"

    def without_values(self, message: str) -> str:
        """The message: there are no placeholders in Python."""
        return message


def promised(path: Path) -> Outline | None:
    """What a Python migration promises; None when it cannot be run, which validation tells."""
    try:
        return outline_of(path.read_bytes(), path)
    except (OSError, MigrationFileError):
        return None
