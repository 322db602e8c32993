"""Text with `-- confiture: include FILE` in it -> the pieces of all files, in the order they run.

The directive is a comment on a line of its own, between statements; in a string, a function
body or a block comment it is text. Refuses a file that is missing, lies outside of the root
or includes itself, and a directive that is nearly one: it would be a comment, silently.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_flows.errors import MigrationFileError
from confiture_flows.sql.script import read_marker
from confiture_flows.sql.source import read_source
from confiture_flows.sql.statements import line_comments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.sql.large import Cut

_DIRECTIVE = re.compile(r"--\s*confiture:\s*include\s+(?P<file>\S.*?)\s*")
_ALMOST = re.compile(r"--\s*confiture\W*includ", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines of one file that run one after the other.

    Attributes:
        path: The file.
        first_line: The file's line on which `text` starts.
        text: As the file has it.
        cut: Whether an include follows.
        source: The cut of a large file that it is, or was a part of.
    """

    path: Path
    first_line: int
    text: str
    cut: bool = False
    source: Cut | None = None


def may_include(text: str) -> bool:
    """Whether a text holds what may be an include."""
    return _ALMOST.search(text) is not None


def expand(text: str, path: Path, first_line: int, root: Path) -> tuple[Piece, ...]:
    """Follow the includes of a text.

    Args:
        text: A script, or a section of a file.
        path: The file it comes from; what it includes is named relative to it.
        first_line: The file's line on which `text` starts.
        root: Included files lie in this folder or below it.

    Raises:
        MigrationFileError: An include cannot be followed; it names the including file and line.
    """
    if not may_include(text):
        return (Piece(path, first_line, text),)
    return tuple(_pieces(text, path, first_line, root.resolve(), (path.resolve(),)))


def _pieces(
    text: str, path: Path, first_line: int, root: Path, chain: tuple[Path, ...]
) -> Iterator[Piece]:
    lines = text.split("\n")
    start = 0  # index of the first line that no piece has yet
    for index, comment in _directives(text, path, first_line):
        yield Piece(path, first_line + start, "\n".join(lines[start:index]), cut=True)
        start = index + 1
        line = first_line + index
        included = _included(comment, path, line, root, chain)
        inner = read_source(included)
        if read_marker(inner, included) is not None:
            raise MigrationFileError(
                "The file is included, so its transaction marker has no effect.",
                file=included,
                next_step=f"Put the marker into the leading comments of {chain[0].name}.",
            )
        yield from _pieces(inner, included, 1, root, (*chain, included.resolve()))
    yield Piece(path, first_line + start, "\n".join(lines[start:]))


def _directives(text: str, path: Path, first_line: int) -> Iterator[tuple[int, str]]:
    """The index of each directive's line, and the file that it names."""
    lines = text.split("\n")
    for index, comment in line_comments(text):
        if not _ALMOST.match(comment):
            continue
        match = _DIRECTIVE.fullmatch(comment)
        if match is None or not lines[index].lstrip().startswith("--"):
            raise MigrationFileError(
                f"Not an include, though nearly one: {comment.strip()}",
                file=path,
                line=first_line + index,
                next_step="Write it on a line of its own: -- confiture: include FILE",
            )
        yield index, match["file"]


def _included(name: str, path: Path, line: int, root: Path, chain: tuple[Path, ...]) -> Path:
    file = Path(os.path.normpath(path.parent / name))
    resolved = (path.parent / name).resolve()
    problem = next_step = None
    if not resolved.is_relative_to(root):
        problem = f"{name} lies outside of {root}, so it is not included."
        next_step = (
            "Move it there. With a confiture.toml, all files of the folder that holds it "
            "may be included."
        )
    elif resolved in chain:
        problem = f"{name} includes itself: " + " -> ".join(
            each.name for each in (*chain[chain.index(resolved) :], resolved)
        )
        next_step = "Take one of the includes out."
    elif not resolved.is_file():
        problem = f"There is no file {name} to include."
        next_step = f"It is looked for from the including file's folder: {file}"
    if problem:
        raise MigrationFileError(problem, file=path, line=line, next_step=next_step)
    return file
