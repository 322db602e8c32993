"""A name -> the empty files of a new migration, in the directory's own layout.

Refuses a name without letters, and never overwrites a file.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta
from typing import TYPE_CHECKING

from confiture_flows.errors import ConfigError
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.layouts import all_layouts

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


def scaffold(
    path: Path, title: str, now: datetime, *, layout: str | None = None
) -> tuple[Path, ...]:
    """Write the files of a new migration.

    Its version is the next number where the directory counts (0001, 0002), otherwise
    the time.

    Args:
        path: The directory; created if it does not exist.
        title: What the migration does, in words.
        now: UTC.
        layout: A layout's name; None detects it, and a new directory gets pairs.

    Returns:
        The files written.

    Raises:
        ConfigError: The title has no letters, a file is already there, or the directory
            cannot be written to.
    """
    ascii_title = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "_", ascii_title.lower()).strip("_")
    if not slug:
        raise ConfigError(
            f"{title!r} makes no file name.", next_step="Say in letters what it does: add_users"
        )
    try:
        path.mkdir(parents=True, exist_ok=True)
        return _write(path, slug, now, layout)
    except OSError as error:
        raise ConfigError(
            f"{error.filename or path} cannot be written: {error.strerror}.",
            next_step="Name another directory with --dir, or a shorter title.",
        ) from error


def _write(path: Path, slug: str, now: datetime, layout: str | None) -> tuple[Path, ...]:
    directory = discover(path, layout=layout, may_be_empty=True)
    version = _next_version(
        [each.version for each in directory.migrations if not each.repeatable], now
    )
    chosen = next(each for each in all_layouts() if each.name == directory.layout)
    contents = chosen.scaffold(version, slug)
    if taken := [name for name in contents if (path / name).exists()]:
        raise ConfigError(f"{path / taken[0]} is already there.")
    for name, text in contents.items():
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_text(text, encoding="utf-8", newline="\n")
    return tuple(path / name for name in contents)


def _next_version(versions: list[str], now: datetime) -> str:
    last = versions[-1] if versions else ""
    if last.isascii() and last.isdigit() and len(last) < len("19700101"):
        return str(int(last) + 1).zfill(len(last))
    # Two in one second, and prisma's versions go on after the time.
    while any(version.startswith(f"{now:%Y%m%d%H%M%S}") for version in versions):
        now += timedelta(seconds=1)
    return f"{now:%Y%m%d%H%M%S}"
