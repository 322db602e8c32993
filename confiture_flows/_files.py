"""Bytes -> a file that holds all of them, or is as it was: also on a full disk, or when killed."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_NEW_FILE = 0o644


def write_whole(path: Path, data: bytes, mode: int | None = None) -> None:
    """Write a file by way of another beside it, which takes its name in the end.

    Args:
        path: The file; where it is a symbolic link, what it leads to.
        data: All that it will hold.
        mode: Its permissions; by default those that it has. Its owner stays where that may be.

    Raises:
        OSError: It cannot be written, and is as it was.
    """
    path = path.resolve()
    before = path.stat() if path.exists() else None
    if mode is None:
        mode = before.st_mode & 0o7777 if before else _NEW_FILE
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".confiture-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        if before is not None:
            # Who runs this as root, as in a container, takes nobody's files away.
            with suppress(PermissionError):
                os.chown(name, before.st_uid, before.st_gid)
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
