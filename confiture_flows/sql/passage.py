"""Passage: data statements of a large file, which stay there. What a batch has for many of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from confiture_flows.sql.statements import split_statements, unparsed_statement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confiture_flows.sql.large import Stretch
    from confiture_flows.sql.placeholders import Filled, Placeholders
    from confiture_flows.sql.statements import Statement

# Bytes. The parser takes fifty times as much memory as the text. One statement that is longer
# is an INSERT of very many rows; the server says the same of a mistake in it.
LONGEST_PARSED = 1 << 20


@dataclass(frozen=True, slots=True)
class Passage:
    """Data statements of a large file; in a batch it stands where a statement does.

    Attributes:
        place: Where they stand.
        number: 1-based place in the script of the first.
        count: How many.
        placeholders: The values for ${name}; None leaves it as it stands.
    """

    place: Stretch
    number: int
    count: int
    placeholders: Placeholders | None = None

    # What only other statements have.
    command: ClassVar[None] = None
    forbids_transaction: ClassVar[None] = None
    enum_value: ClassVar[None] = None
    sets_session: ClassVar[bool] = False
    kind: ClassVar[str] = "passage"

    @property
    def masked_sql(self) -> str:
        """The first statement as the file has it, passwords masked."""
        return self.statements()[0].masked_sql

    def copy_blocks(self) -> Iterable[bytes]:
        """The bytes of the file.

        Raises:
            MigrationFileError: See `read`.
        """
        return self.place.blocks()

    def mentions(self, literal: str) -> bool:
        """Whether a literal stands in one of the statements."""
        return literal in self.read()

    def read(self) -> str:
        """What to send to the server.

        Raises:
            MigrationFileError: The file has changed since it was cut.
        """
        return self._filled()[0]

    def statements(self) -> tuple[Statement, ...]:
        """Each of them.

        Raises:
            MigrationFileError: The file has changed since it was cut.
        """
        text, filled = self._filled()
        split = unparsed_statement if self.place.length > LONGEST_PARSED else split_statements
        found = split(text, self.place.path, self.place.first_line, filled)
        return tuple(replace(each, number=number) for number, each in enumerate(found, self.number))

    def failed(self, sent: str, done: int, position: int | None) -> tuple[Statement, int]:
        """The statement that the server speaks of, and how many characters are before it.

        Args:
            sent: What `read` gave.
            done: How many had succeeded.
            position: Where in `sent` the server sees a mistake, 1-based. If nothing has been
                done, it may be in any statement: the server reads all before it begins.
        """
        statements = self.statements()
        end = 0
        for index, each in enumerate(statements):
            start = sent.index(each.sql, end)
            end = start + len(each.sql)
            found = position <= end + 1 if position and not done else index == done
            if found or each is statements[-1]:
                return each, start
        raise ValueError("a passage has statements")

    def _filled(self) -> tuple[str, tuple[Filled, ...]]:
        text = self.place.text()
        if self.placeholders is None:
            return text, ()
        return self.placeholders.fill(text, self.place.path, self.place.first_line)
