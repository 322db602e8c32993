"""File -> checksum, in the form the ledger keeps it. Pure but for the read."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def file_checksum(path: Path) -> str:
    """SHA-256 of the raw bytes, hex: what fraiseql-confiture writes into the same column.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
