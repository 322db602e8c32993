"""What several layouts need: files of a folder, version keys, sections of a file."""

from __future__ import annotations

import os
import re
from codecs import BOM_UTF8
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_flows.report.finding import Finding, Location, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_OTHER_LANGUAGE = re.compile(r"^(?P<version>\d+)_.+\.(?P<suffix>go|py|rs|js|ts)$")


# Names, not paths: with ten thousand migrations, comparing paths and asking the file system
# about each of them took most of a run that has nothing to do.
def file_names(directory: Path, suffix: str = ".sql") -> list[str]:
    """The names of the visible files of a folder with that suffix, sorted."""
    with os.scandir(directory) as entries:
        return sorted(
            entry.name
            for entry in entries
            if entry.name.endswith(suffix) and entry.name[0] != "." and _is_file(entry)
        )


def files(directory: Path, suffix: str = ".sql") -> list[Path]:
    """The visible files of a folder with that suffix, by name."""
    return [Path(directory, name) for name in file_names(directory, suffix)]


def folders_with(directory: Path, file_name: str) -> list[Path]:
    """The visible sub-folders that hold a file of that name, by name."""
    with os.scandir(directory) as entries:
        names = sorted(
            entry.name
            for entry in entries
            if entry.name[0] != "."
            and not entry.is_file(follow_symlinks=False)
            and os.path.isfile(os.path.join(entry.path, file_name))
        )
    return [Path(directory, name) for name in names]


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link that leads in a circle
        return False


def some_file_says(directory: Path, mark: re.Pattern[bytes]) -> bool:
    """Whether one of the first files carries a layout's mark; a stray file may lack it."""
    return any(
        mark.search(line)
        for name in file_names(directory)[:20]
        for line in lines_of(Path(directory, name))
    )


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a file after its byte order mark; none if discovery will find it unreadable."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file):
                yield line if number else line.removeprefix(BOM_UTF8)
    except OSError:
        return


def version_keys(versions: Iterable[str]) -> dict[str, tuple[int | str, ...]]:
    """Sort keys: by value where all versions are numbers, as text otherwise."""
    unique = set(versions)
    if all(version.isascii() and version.isdigit() for version in unique):
        return {version: (int(version),) for version in unique}
    return {version: (version,) for version in unique}


def foreign_steps(directory: Path, *, but: re.Pattern[str] | None = None) -> Iterator[Finding]:
    """Migrations in a programming language, which are not run: their place in history is empty.

    Args:
        directory: The folder.
        but: Names of those that the layout runs.
    """
    for name in file_names(directory, ""):
        if but and but.match(name):
            continue
        if match := _OTHER_LANGUAGE.match(name):
            path = Path(directory, name)
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
