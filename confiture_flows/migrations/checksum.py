"""Script -> checksum, in the form the ledger keeps it. Pure but for the reads.

SHA-256 of the raw bytes of the file, which is what fraiseql-confiture writes into the same
column. Where a script includes files their bytes follow, since the change of one of them is a
change of the migration. For a repeatable migration the values of its placeholders follow as
well, since a new value is to run it again; a versioned one ran with the value of its day.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from confiture_flows.errors import MigrationFileError
from confiture_flows.migrations.migration import Script

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_flows.migrations.migration import Runnable

_CHUNK = 1 << 16
_INCLUDE = (b"confiture", b"include")  # both are in every file that includes another


def file_checksum(path: Path) -> str:
    """SHA-256 of the raw bytes, hex: what fraiseql-confiture writes into the same column.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def script_checksum(script: Runnable, *, repeatable: bool = False) -> str:
    """The checksum of the migration whose way up is this script.

    Args:
        script: The way up.
        repeatable: Whether the values of its placeholders count.

    Returns:
        SHA-256, hex; empty when something that the script refers to is missing, which is no
        checksum of anything.

    Raises:
        OSError: The file cannot be read.
    """
    digest = hashlib.sha256()
    seen: set[bytes] = set()
    tail = b""
    with open(script.path, "rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            seen.update(word for word in _INCLUDE if word in tail + chunk)
            tail = chunk[-len(_INCLUDE[0]) :]
    if repeatable or len(seen) == len(_INCLUDE):
        try:
            for part in _referred_to(script, values=repeatable):
                digest.update(part)
        except MigrationFileError:
            return ""
    return digest.hexdigest()


def included_files(script: Runnable) -> tuple[Path, ...]:
    """The files that a script includes, in order.

    Raises:
        MigrationFileError: One of them is missing, or may not be included.
    """
    paths = dict.fromkeys(piece.path for piece in script.pieces())
    return tuple(path for path in paths if path != script.path)


def _referred_to(script: Runnable, *, values: bool) -> list[bytes]:
    parts = [path.read_bytes() for path in included_files(script)]
    if values and isinstance(script, Script) and script.placeholders:
        for piece in script.pieces():
            script.placeholders.fill(piece.text, piece.path, piece.first_line)
            used = script.placeholders.used(piece.text)
            parts += [f"{name}={value}\n".encode() for name, value in used.items()]
    return parts
