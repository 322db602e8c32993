"""What several layouts need: files of a folder, version keys, sections of a file."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from typing import TYPE_CHECKING

from confiture_flows.report.finding import Finding, Location, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_OTHER_LANGUAGE = re.compile(r"^(?P<version>\d+)_.+\.(?P<suffix>go|py|rs|js|ts)$")


def files(directory: Path, suffix: str = ".sql") -> list[Path]:
    """The visible files of a folder with that suffix, by name."""
    return sorted(
        path
        for path in directory.iterdir()
        if path.name.endswith(suffix) and not path.name.startswith(".") and path.is_file()
    )


def folders_with(directory: Path, file_name: str) -> list[Path]:
    """The visible sub-folders that hold a file of that name, by name."""
    return sorted(
        path
        for path in directory.iterdir()
        if not path.name.startswith(".") and (path / file_name).is_file()
    )


def some_file_says(directory: Path, mark: re.Pattern[bytes]) -> bool:
    """Whether one of the first files carries a layout's mark; a stray file may lack it."""
    return any(mark.search(content(path)) for path in files(directory)[:20])


def content(path: Path) -> bytes:
    """What is in a file after its byte order mark; nothing if discovery will find it unreadable."""
    try:
        return path.read_bytes().removeprefix(BOM_UTF8)
    except OSError:
        return b""


def version_keys(versions: Iterable[str]) -> dict[str, tuple[int | str, ...]]:
    """Sort keys: by value where all versions are numbers, as text otherwise."""
    unique = set(versions)
    if all(version.isascii() and version.isdigit() for version in unique):
        return {version: (int(version),) for version in unique}
    return {version: (version,) for version in unique}


def foreign_steps(directory: Path) -> Iterator[Finding]:
    """Migrations in a programming language, which are not run: their place in history is empty."""
    for path in sorted(directory.iterdir()):
        if path.is_file() and (match := _OTHER_LANGUAGE.match(path.name)):
            yield Finding(
                "file.unsupported",
                Severity.WARNING,
                f"{path.name} is a migration in another language and is not run.",
                next_step="Write what it does to the schema as SQL, if later migrations need it.",
                version=match["version"],
                location=Location(path),
            )


def misnamed(path: Path, expected: str) -> Finding:
    """A SQL file whose name the layout cannot read."""
    return Finding(
        "file.misnamed",
        Severity.WARNING,
        f"{path.name} is not named {expected} and is not run.",
        next_step="Rename it, or move it out of the directory.",
        location=Location(path),
    )


def without_up(path: Path, version: str) -> Finding:
    """A down or verify script whose up script is missing."""
    return Finding(
        "file.without_up",
        Severity.WARNING,
        f"{path.name} belongs to no up script.",
        next_step="Add the up script, or remove this one.",
        version=version,
        location=Location(path),
    )


def sections(
    text: str, marks: dict[str, re.Pattern[str]]
) -> tuple[tuple[str, tuple[int, int]], ...]:
    """The parts that mark lines start, in order, with first and last line (1-based, inclusive).

    The mark's own line is part of it: it is a comment, and messages name it.
    """
    lines = text.split("\n")
    starts: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        for part, mark in marks.items():
            if mark.match(line):
                starts.append((number, part))
    ends = [*(number for number, _ in starts), len(lines) + 1][1:]
    return tuple((part, (start, end - 1)) for (start, part), end in zip(starts, ends, strict=True))
