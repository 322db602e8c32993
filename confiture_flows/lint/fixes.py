"""Findings with edits -> the mended text of their files, or a new migration.

What could overlap is left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows._files import write_whole
from confiture_flows.errors import ConfigError
from confiture_flows.lint.rule import TextEdit
from confiture_flows.migrations.scaffold import scaffold
from confiture_flows.sql.source import BYTE_ORDER_MARK, read_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from confiture_flows.lint.report import LintFinding
    from confiture_flows.migrations.discovery import Directory


def apply_edits(text: str, edits: Iterable[TextEdit]) -> str:
    """Make edits of a text; one that overlaps an earlier one is left out."""
    pieces: list[str] = []
    done = 0
    for edit in sorted(set(edits), key=lambda each: (each.start, each.end, each.text)):
        if edit.start < done:
            continue
        pieces += (text[done : edit.start], edit.text)
        done = edit.end
    return "".join((*pieces, text[done:]))


def mend_files(findings: Sequence[LintFinding]) -> dict[Path, str]:
    """The new texts of the files that findings can mend.

    Raises:
        MigrationFileError: A file cannot be read.
    """
    told: dict[Path, list[LintFinding]] = {}
    for each in findings:
        if each.edits:
            told.setdefault(each.path, []).append(each)
    mended = {path: _mended(path, found) for path, found in told.items()}
    for each in findings:
        if each.elsewhere:
            path, edits = each.elsewhere
            mended[path] = apply_edits(mended.get(path) or read_source(path), edits)
    return mended


def _mended(path: Path, found: list[LintFinding]) -> str:
    text = read_source(path)
    mark = len(BYTE_ORDER_MARK) if _has_mark(path) else 0
    starts: dict[tuple[int | None, int], int] = {}
    edits: list[TextEdit] = []
    for each in found:
        piece = each.text_byte, each.line - each.text_line
        if piece not in starts:
            starts[piece] = each.text_start(text, mark)
        start = starts[piece]
        edits += (TextEdit(one.start + start, one.end + start, one.text) for one in each.edits)
    return apply_edits(text, edits)


def _has_mark(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(BYTE_ORDER_MARK)) == BYTE_ORDER_MARK


def added_statements(findings: Iterable[LintFinding]) -> tuple[str, ...]:
    """The statements that a new migration mends findings by."""
    return tuple(dict.fromkeys(each.adds for each in findings if each.adds))


def write_migration(directory: Directory, statements: tuple[str, ...], now: datetime) -> Path:
    """Write a migration that validates constraints, after all others.

    Args:
        directory: Where it goes, in its layout.
        statements: What it does.
        now: UTC; of layouts that are numbered by time.

    Returns:
        The file of its way forward.

    Raises:
        ConfigError: It cannot be written.
    """
    up, *others = scaffold(directory.path, "validate constraints", now, layout=directory.layout)
    first, _, rest = up.read_text(encoding="utf-8").partition("\n")
    said = "".join(f"{each};\n" for each in statements)
    _write(up, f"{first}\n{said}{rest}".encode())
    for down in others:
        _write(down, b"-- Nothing: what is validated may stay so.\n")
    return up


def write_mended(path: Path, text: str) -> None:
    """Write a mended file, with the byte order mark and the line ends that it had.

    Raises:
        ConfigError: It cannot be written, and is as it was.
    """
    mark = BYTE_ORDER_MARK if _has_mark(path) else b""
    _write(path, mark + text.encode())


def _write(path: Path, data: bytes) -> None:
    try:
        write_whole(path, data)
    except OSError as error:
        raise ConfigError(
            f"It cannot be written: {error.strerror}.",
            file=path,
            next_step="Mend that, and run again: what was mended before is done.",
        ) from None
