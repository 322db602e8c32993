"""Bytes of a SQL file -> text the parser and the server will read alike.

Refuses what would be lost or misread on the way: NUL bytes (libpq drops the
rest of the query silently) and bytes that are not UTF-8. A byte order mark is
stripped; CRLF stays, since PostgreSQL reads it as white space.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.errors import MigrationFileError

if TYPE_CHECKING:
    from pathlib import Path

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read_source(path: Path) -> str:
    """Read a SQL file as text.

    Raises:
        MigrationFileError: The file cannot be read, holds a NUL byte, or is not UTF-8.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MigrationFileError(
            f"The file cannot be read: {error.strerror or error}.",
            file=path,
            next_step="Check that it exists and that you may read it.",
        ) from error
    return decode_source(data, path)


def decode_source(data: bytes, path: Path) -> str:
    """Turn the bytes of `path` into text.

    Raises:
        MigrationFileError: See `read_source`.
    """
    if data.startswith(_UTF16_MARKS):
        raise MigrationFileError(
            "The file is UTF-16, not UTF-8.", file=path, line=1, next_step="Save it as UTF-8."
        )
    if (nul := data.find(b"\0")) >= 0:
        raise MigrationFileError(
            f"The file holds a NUL byte (offset {nul}); the server would not see what follows it.",
            file=path,
            line=_line_at(data, nul),
            next_step="Remove the byte; SQL text cannot hold one.",
        )
    try:
        return data.removeprefix(_BYTE_ORDER_MARK).decode()
    except UnicodeDecodeError as error:
        start = error.start + (len(_BYTE_ORDER_MARK) if data.startswith(_BYTE_ORDER_MARK) else 0)
        raise MigrationFileError(
            f"The file is not UTF-8: byte 0x{data[start]:02x} at offset {start}.",
            file=path,
            line=_line_at(data, start),
            next_step=f"Save it as UTF-8, for example: iconv -f latin1 -t utf-8 {path.name}",
        ) from error


def _line_at(data: bytes, offset: int) -> int:
    return data.count(b"\n", 0, offset) + 1
