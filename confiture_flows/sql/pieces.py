"""A large SQL file -> its pieces, one at a time; a piece of data statements -> a passage.

Data statements are counted by PostgreSQL's parser and stay in the file. Every other statement
is parsed and held as in a small file. Refuses what `expand` and `cuts` refuse.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from confiture_flows.sql import large
from confiture_flows.sql.include import Piece, expand, may_include
from confiture_flows.sql.passage import LONGEST_PARSED, Passage
from confiture_flows.sql.statements import count_statements

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from confiture_flows.sql.placeholders import Placeholders


def is_large(path: Path) -> bool:
    """Whether a file is one that is not held as a whole."""
    try:
        return os.stat(path).st_size > large.LARGE_FILE
    except OSError:
        return False  # whoever reads it says so


def large_pieces(path: Path, lines: tuple[int, int] | None, root: Path) -> Iterator[Piece]:
    """Read a large file, one cut at a time, and what it includes.

    Args:
        path: The file.
        lines: First and last line of the part to read; None is all.
        root: Included files lie in this folder or below it.

    Raises:
        MigrationFileError: The file, or one that it includes, cannot be read.
    """
    for cut in large.cuts(path, lines):
        if cut.data is not None and not may_include(cut.text):
            yield Piece(path, cut.place.first_line, cut.text, source=cut)
            continue
        *before, last = expand(cut.text, path, cut.place.first_line, root)
        for piece in before:
            yield replace(piece, source=replace(cut, data=None, rows=None))
        yield replace(last, source=replace(cut, data=None))


def read_passage(piece: Piece, number: int, placeholders: Placeholders | None) -> Passage | None:
    """The passage that a piece is; None when its statements have to be held.

    Args:
        piece: Of a large file, or of any other.
        number: 1-based place in the script of its first statement.
        placeholders: The values for ${name}.

    Raises:
        MigrationFileError: A placeholder has no value.
    """
    cut = piece.source
    if cut is None or cut.data is None:
        return None
    passage = Passage(cut.place, number, cut.data, placeholders)
    text = piece.text
    if placeholders:
        text, _ = placeholders.fill(text, piece.path, piece.first_line)
    if cut.place.length > LONGEST_PARSED:
        return passage if cut.data == 1 else None
    return passage if count_statements(text) == cut.data else None
