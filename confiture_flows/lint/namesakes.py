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
from confiture_flows.sql.include import may_include
from confiture_flows.sql.source import read_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
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
    said = _Said(migrations)
    return tuple(
        [
            replace(each, edits=()) if each.replaced and _is_needed(each, said, text) else each
            for each in findings
        ]
    )


class _Said:
    """What migrations say, each read no more than once: findings ask for all that come later."""

    def __init__(self, migrations: Sequence[Migration]) -> None:
        self.migrations = migrations
        self._texts: dict[int, _Text] = {}
        self._numbers: dict[str, int] = {}
        for number, each in enumerate(migrations):
            self._numbers.setdefault(each.version, number)

    def number_of(self, version: str) -> int | None:
        return self._numbers.get(version)

    def after(self, number: int) -> Iterator[_Text]:
        """The texts of the migrations after one; raises MigrationFileError."""
        for later in range(number + 1, len(self.migrations)):
            if later not in self._texts:
                self._texts[later] = _Text(_all_texts(self.migrations[later]))
            yield self._texts[later]


class _Text:
    """A text in which names are looked for."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lower = text.lower() if text.isascii() else ""

    def names(self, name: str) -> bool:
        """Whether a name stands in it, in any case, quoted or not."""
        # A pattern that ignores case takes thirty times as long as a search for a plain text.
        if self._lower and name.isascii() and name.lower() not in self._lower:
            return False
        word = rf"(?<![\w$]){re.escape(name)}(?![\w$])"
        return re.search(word, self._text, re.IGNORECASE) is not None


def _is_needed(finding: LintFinding, said: _Said, text: str | None) -> bool:
    gone, stays = finding.replaced or ("", "")
    here = said.number_of(finding.version)
    if here is None:
        return True
    try:
        own = read_source(finding.path) if text is None else text
        at = own.find(finding.statement, finding.offset if finding.line == finding.text_line else 0)
        if at < 0:
            return True
        after = _Text(own[at + len(finding.statement) :])
        down = said.migrations[here].down
        back = read_source(down.path) if down and down.path != finding.path else ""
        if any(each.names(gone) for each in (_Text(own[:at]), after, _Text(back))):
            return True
        return after.names(stays) or any(
            each.names(gone) or each.names(stays) for each in said.after(here)
        )
    except MigrationFileError:
        return True


def _all_texts(migration: Migration) -> str:
    """What a migration says, also what it includes."""
    scripts = [each for each in (migration.up, migration.down) if each]
    texts: dict[Path, str] = {}
    for each in scripts:
        if each.path not in texts:
            texts[each.path] = read_source(each.path)
        if isinstance(each, Script) and may_include(texts[each.path]):
            for piece in each.pieces():
                texts.setdefault(piece.path, piece.text)
    return "\n".join(texts.values())
