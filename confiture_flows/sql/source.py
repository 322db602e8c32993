"""Bytes of a SQL file -> text the parser and the server will read alike.

Refuses what would be lost or misread on the way: NUL bytes (libpq drops the
rest of the query silently) and bytes that are not UTF-8. A byte order mark is
stripped; CRLF stays, since PostgreSQL reads it as white space.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.errors import MigrationFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BLOCK = 1 << 20
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read_source(path: Path) -> str:
    """Read a SQL file as text.

    Raises:
        MigrationFileError: The file cannot be read, holds a NUL byte, or is not UTF-8.
    """
    try:
        with open(path, "rb", buffering=0) as file:  # in half the system calls of read_bytes
            data = file.read()
    except OSError as error:
        raise cannot_read(path, error) from error
    return decode_source(data, path)


def blocks_of(path: Path) -> Iterator[bytes]:
    """The bytes of a file, as many at a time as are held without harm.

    Raises:
        MigrationFileError: The file cannot be read.
    """
    try:
        with open(path, "rb", buffering=0) as file:
            while block := file.read(_BLOCK):
                yield block
    except OSError as error:
        raise cannot_read(path, error) from error


def cannot_read(path: Path, error: OSError) -> MigrationFileError:
    """The error for a file that the system does not give."""
    return MigrationFileError(
        f"The file cannot be read: {error.strerror or error}.",
        file=path,
        next_step="Check that it exists and that you may read it.",
    )


def decode_source(data: bytes, path: Path, offset: int = 0, first_line: int = 1) -> str:
    """Turn the bytes of `path`, or of a part of it that splits no character, into text.

    Args:
        data: The bytes.
        path: The file, for messages.
        offset: Of the first byte.
        first_line: The file's line on which they start.

    Raises:
        MigrationFileError: See `read_source`.
    """
    mark = b"" if offset else BYTE_ORDER_MARK
    if not offset and data.startswith(_UTF16_MARKS):
        raise MigrationFileError(
            "The file is UTF-16, not UTF-8.", file=path, line=1, next_step="Save it as UTF-8."
        )
    if (nul := data.find(b"\0")) >= 0:
        raise MigrationFileError(
            f"The file holds a NUL byte (offset {offset + nul}); the server would not see what "
            "follows it.",
            file=path,
            line=first_line + data.count(b"\n", 0, nul),
            next_step="Remove the byte; SQL text cannot hold one.",
        )
    try:
        return data.removeprefix(mark).decode()
    except UnicodeDecodeError as error:
        start = error.start + (len(mark) if data.startswith(mark) else 0)
        raise MigrationFileError(
            f"The file is not UTF-8: byte 0x{data[start]:02x} at offset {offset + start}.",
            file=path,
            line=first_line + data.count(b"\n", 0, start),
            next_step=f"Save it as UTF-8, for example: iconv -f latin1 -t utf-8 {path.name}",
        ) from error
