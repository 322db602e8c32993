"""A large SQL file -> cuts of it, in order, of which one at a time is held. No database.

A cut is whole statements: PostgreSQL's parser has to find their ends again. What it is for is
not to give the parser a hundred megabytes at once, which takes thirty times as much memory.
Rows of COPY blocks stay in the file. Refuses what `read_source` refuses, and rows without end.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from confiture_flows.errors import MigrationFileError
from confiture_flows.sql.source import BYTE_ORDER_MARK, cannot_read, decode_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from confiture_flows.sql.placeholders import Placeholders

LARGE_FILE = 8_000_000  # bytes; smaller ones are read and parsed as a whole
CUT = 1 << 18  # bytes; a cut is about that long, or one statement
_BLOCK = 1 << 18  # bytes that are read at a time

# Up to the next semicolon, past strings, names, line comments and dollar quotes; or to what
# a regular expression cannot follow (block comments nest) or SQL does not have (a backslash).
# Nothing in it is ever tried a second way: where it is cut off, it does not match.
# Source: the server's scan.l. A dollar sign after a letter is a part of the name.
_UP_TO_END = re.compile(
    rb"""
    (?: [^'"$\-/;\\]++
    | (?<=[^\w$\x80-\xff][eE]) (?P<escaped>'(?:[^'\\]++|\\.|'')*+')
      (?: [ \t\f\v]*+ [\r\n] [ \t\r\n\f\v]*+ '(?:[^'\\]++|\\.|'')*+' )*+
    | (?<![^\w$\x80-\xff][eE])'[^']*+'
    | "[^"]*+"
    | --[^\r\n]*+
    | -(?!-)
    | /(?!\*)
    | (?<![\w$\x80-\xff])\$(?P<tag>(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*+)?+)\$.*?\$(?P=tag)\$
    | (?<=[\w$\x80-\xff])\$
    | \$(?!(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*+)?+\$)
    )*+
    (?P<end> ; | /\* | \\ )
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_MARK = re.compile(rb"/\*|\*/")
_GAP = re.compile(rb"(?:[ \t\r\n\f\v]++|--[^\r\n]*+)*+")
# What the checks of a script have nothing to say about: it commits nothing, sets nothing.
_DATA = re.compile(
    rb"(?:INSERT|UPDATE|DELETE|WITH|VALUES|SELECT(?!\s+(?:pg_catalog\.)?set_config\b))\b", re.I
)
_COPY = re.compile(
    rb"COPY\s(?:'[^']*+'|\"[^\"]*+\"|[^;'\"])*?\bFROM\s+STDIN\b", re.IGNORECASE | re.DOTALL
)
_LINE_REST = re.compile(rb"[ \t]*(?:--[^\r\n]*)?\r?\n")
_END_OF_ROWS = re.compile(rb"^\\\.[ \t]*\r?(?:\n|\Z)", re.MULTILINE)
# The statements that may hold semicolons of their own, and what brackets those.
_HOLDS_OTHERS = re.compile(rb"CREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE|RULE)\b", re.I)
_BRACKET = re.compile(
    rb"""'[^']*+' | "[^"]*+" | --[^\r\n]*+
    | (?<![\w$\x80-\xff])\$(?P<tag>(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*+)?+)\$.*?\$(?P=tag)\$
    | (?P<open>[(] | \bBEGIN\s+ATOMIC\b | \bCASE\b) | (?P<close>[)] | \bEND\b)""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class FileState:
    """What tells that a file has not been written to since.

    Attributes:
        size: Bytes.
        changed_ns: Time of the last change.
        inode: Which file the name leads to.
    """

    size: int
    changed_ns: int
    inode: int


def file_state(file: Path | int) -> FileState:
    """The state of a file, by its path or descriptor.

    Raises:
        OSError: There is none.
    """
    found = os.stat(file)
    return FileState(found.st_size, found.st_mtime_ns, found.st_ino)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bytes of a file that are read when needed.

    Attributes:
        path: The file.
        state: Of the file when it was cut.
        offset: Of the first byte.
        length: In bytes.
        first_line: The file's line on which it starts.
    """

    path: Path
    state: FileState
    offset: int
    length: int
    first_line: int

    def blocks(self, values: Placeholders | None = None) -> Iterator[bytes]:
        """The bytes, a block of whole lines at a time.

        Args:
            values: For ${name}; None leaves it as it stands.

        Raises:
            MigrationFileError: The file has changed, cannot be read any more, or lacks a value.
        """
        line = self.first_line
        for block in self._blocks():
            if values and b"${" in block:
                yield values.fill(block.decode(), self.path, line)[0].encode()
            else:
                yield block
            line += block.count(b"\n")

    def _blocks(self) -> Iterator[bytes]:
        try:
            with self.path.open("rb") as file:
                if file_state(file.fileno()) != self.state:
                    raise self._changed()
                file.seek(self.offset)
                left = self.length
                while left:
                    block = file.read(min(_BLOCK, left))
                    if len(block) < left:
                        block += file.readline(left - len(block))
                    left -= len(block)
                    if not block:
                        raise self._changed()
                    yield block
                # Again, since it may have been written to while it was read.
                if file_state(file.fileno()) != self.state:
                    raise self._changed()
        except OSError as error:
            raise cannot_read(self.path, error) from error

    def text(self) -> str:
        """All of it.

        Raises:
            MigrationFileError: See `blocks`.
        """
        return b"".join(self.blocks()).decode()

    def _changed(self) -> MigrationFileError:
        return MigrationFileError(
            f"{self.path.name} was edited while the run was going on.",
            file=self.path,
            next_step="Run again with the file as it should be.",
        )


@dataclass(frozen=True, slots=True)
class Cut:
    """Statements of a large file that stand one after another.

    Attributes:
        place: Where they stand.
        text: Their text, with the comments before them.
        data: How many statements it is when all of them read and write rows only, else None.
        rows: The rows that follow, when it is a `COPY ... FROM stdin`.
    """

    place: Stretch
    text: str
    data: int | None = None
    rows: Stretch | None = None


def cuts(
    path: Path, lines: tuple[int, int] | None = None, *, size: int = CUT, block: int = _BLOCK
) -> Iterator[Cut]:
    """Cut a file.

    Args:
        path: The file.
        lines: First and last line of the part to cut, 1-based and inclusive; None is all.
        size: Bytes of a cut, roughly.
        block: Bytes to read at a time.

    Raises:
        MigrationFileError: The file cannot be read, or is no text that the server could read.
    """
    try:
        with path.open("rb") as file:
            end = file_state(file.fileno()).size
            if lines:
                for _ in range(lines[0] - 1):
                    file.readline()
                start = file.tell()
                for _ in range(lines[1] - lines[0] + 1):
                    file.readline()
                end = file.tell()
                file.seek(start)
            yield from _Cutter(file, path, end, lines[0] if lines else 1, size, block).cuts()
    except OSError as error:
        raise cannot_read(path, error) from error


class _Cutter:
    """Walks a file; what it holds begins at the first statement that is in no cut yet."""

    def __init__(
        self, file: BinaryIO, path: Path, end: int, line: int, size: int, block: int
    ) -> None:
        self._file, self._path, self._end, self._line = file, path, end, line
        self._size, self._block = size, block
        self._offset = file.tell()  # of what is held
        self._held = b""
        self._state = file_state(file.fileno())
        self._over = False  # whether all is read
        if self._offset == 0 and file.read(len(BYTE_ORDER_MARK)) == BYTE_ORDER_MARK:
            self._offset = len(BYTE_ORDER_MARK)
        file.seek(self._offset)

    def cuts(self) -> Iterator[Cut]:
        self._read_more()
        at = count = 0  # where the next statement starts, and how many are before it
        data = True  # whether those read and write rows only
        while True:
            end = self._statement_end(at)
            if end is None and not self._over:
                if at:
                    yield self._take(at, count if data else None)
                    at = count = 0
                self._read_more()
                continue
            word = self._first_word(at)
            is_data = end is not None and _DATA.match(self._held, word) is not None
            rows = end and self._rows_start(word, end)
            full = end is None or rows or end > self._size
            if at and (is_data != data or full):
                yield self._take(at, count if data else None)
                end = end and end - at
                rows = rows and rows - at
                at = count = 0
            if end is None:
                break
            at, count, data = end, count + 1, is_data
            if rows:
                yield self._take_copy(end, rows)
                at = count = 0
                self._read_more()
        if self._held.strip():
            yield self._take(len(self._held), None)

    def _read_more(self) -> None:
        # As much again as is held, so that a long statement is not walked again too often.
        wanted = max(self._block, len(self._held))
        more = self._file.read(min(wanted, self._end - self._file.tell()))
        self._over = not more
        self._held += more

    def _statement_end(self, start: int) -> int | None:
        """The offset after a statement's semicolon; None when not all of it is held."""
        held, at = self._held, start
        brackets: Callable[[int, int], int] | None = None
        depth = 0
        while match := _UP_TO_END.match(held, at):
            if brackets is None:
                holds_others = _HOLDS_OTHERS.match(held, self._first_word(start))
                brackets = partial(_brackets, held) if holds_others else lambda _from, _to: 0
            depth = max(depth + brackets(at, match.end()), 0)
            if match["end"] == b"\\":
                line_end = held.find(b"\n", match.end())
                return line_end + 1 if line_end >= 0 else (len(held) if self._over else None)
            at = match.end()
            if match["end"] == b"/*":
                after = _comment_end(held, at)
                if after is None:
                    return None
                at = after
            elif depth == 0:
                return at
        return None

    def _first_word(self, at: int) -> int:
        while True:
            at = match.end() if (match := _GAP.match(self._held, at)) else at
            if not self._held.startswith(b"/*", at):
                return at
            after = _comment_end(self._held, at + 2)
            if after is None:
                return at
            at = after

    def _rows_start(self, word: int, end: int) -> int | None:
        """Where the rows of a COPY start; None when the statement has none."""
        if not _COPY.match(self._held, word, end):
            return None
        while not (match := _LINE_REST.match(self._held, end)) and not self._over:
            if self._held.find(b"\n", end) >= 0:
                return None  # another statement on the same line
            self._read_more()
        return match.end() if match else None

    def _take(self, end: int, data: int | None) -> Cut:
        held = self._held[:end]
        text = decode_source(held, self._path, self._offset, self._line)
        place = Stretch(self._path, self._state, self._offset, end, self._line)
        self._drop(end, held.count(b"\n"))
        return Cut(place, text, data)

    def _drop(self, length: int, lines: int) -> None:
        self._held = self._held[length:]
        self._offset += length
        self._line += lines

    def _take_copy(self, end: int, rows_start: int) -> Cut:
        between = self._held.count(b"\n", end, rows_start)
        cut = self._take(end, None)
        self._drop(rows_start - end, between)
        self._held = b""
        self._file.seek(self._offset)
        start, first_line = self._offset, self._line
        while block := self._file.read(min(self._block, self._end - self._file.tell())):
            block += self._file.readline(self._end - self._file.tell())
            last = _END_OF_ROWS.search(block)
            rows = block[: last.start()] if last else block
            decode_source(rows, self._path, self._offset, self._line)
            if last is None:
                self._offset += len(block)
                self._line += block.count(b"\n")
                continue
            length = self._offset + last.start() - start
            self._offset += last.end()
            self._line += block.count(b"\n", 0, last.end())
            self._file.seek(self._offset)
            stretch = Stretch(self._path, self._state, start, length, first_line)
            return Cut(cut.place, cut.text, rows=stretch)
        raise MigrationFileError(
            "The rows of this COPY have no end.",
            file=self._path,
            line=first_line - between,
            next_step="After the last row, write a line that holds only: \\.",
        )


def _comment_end(held: bytes, at: int) -> int | None:
    depth = 1
    for mark in _COMMENT_MARK.finditer(held, at):
        depth += 1 if mark[0] == b"/*" else -1
        if depth == 0:
            return mark.end()
    return None


def _brackets(held: bytes, start: int, end: int) -> int:
    """How many brackets a part of a statement opens, less those that it closes."""
    return sum(
        bool(match["open"]) - bool(match["close"]) for match in _BRACKET.finditer(held, start, end)
    )
