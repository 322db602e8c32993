"""Findings + all migrations -> the findings whose edits take away no name that others use.

An index that another makes superfluous may be left out, unless a statement after it, its way back
or a later migration names it, or drops the other one.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from confiture_flows.errors import MigrationFileError
from confiture_flows.migrations.migration import Script
from confiture_flows.sql.source import read_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from confiture_flows.lint.report import LintFinding
    from confiture_flows.migrations.migration import Migration


def without_needed(
    findings: Iterable[LintFinding],
    migrations: Sequence[Migration],
    *,
    text: str | None = None,
) -> tuple[LintFinding, ...]:
    """The findings, those without their edits that would take away what is needed.

    Args:
        findings: Of one or more of the migrations.
        migrations: In order, to the last of the directory.
        text: What stands in the file of the first finding, where that is not on disk.
    """
    return tuple(
        replace(each, edits=()) if each.replaced and _is_needed(each, migrations, text) else each
        for each in findings
    )


def _is_needed(finding: LintFinding, migrations: Sequence[Migration], text: str | None) -> bool:
    gone, stays = finding.replaced or ("", "")
    try:
        own = read_source(finding.path) if text is None else text
        at = own.find(finding.statement, finding.offset if finding.line == finding.text_line else 0)
        if at < 0:
            return True
        after = own[at + len(finding.statement) :]
        versions = [each.version for each in migrations]
        here = versions.index(finding.version)
        rest = [_all_texts(each) for each in migrations[here + 1 :]]
        down = migrations[here].down
        back = read_source(down.path) if down and down.path != finding.path else ""
    except (MigrationFileError, ValueError):
        return True
    named = (own[:at], after, back, *rest)
    return any(_names(each, gone) for each in named) or any(
        _names(each, stays) for each in (after, *rest)
    )


def _all_texts(migration: Migration) -> str:
    """What a migration says, also what it includes."""
    scripts = [each for each in (migration.up, migration.down) if each]
    texts: dict[Path, str] = {}
    for each in scripts:
        texts[each.path] = read_source(each.path)
        for piece in each.pieces() if isinstance(each, Script) else ():
            texts.setdefault(piece.path, piece.text)
    return "\n".join(texts.values())


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", text, re.IGNORECASE) is not None
