"""`VERSION_name.sql`, forward only, ordered by VERSION. Identity: VERSION.

Refuses files with a section for the way down: it would run right after the way up.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from confiture_flows.migrations.layouts import Found, Layout, Reading
from confiture_flows.migrations.layouts._files import (
    file_names,
    files,
    foreign_steps,
    lines_of,
    misnamed,
    version_keys,
)
from confiture_flows.migrations.migration import Script
from confiture_flows.report.finding import Finding, Location, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

# A digit first: as text, Flyway's V10 would run before its V2, and its U files go back.
_NAME = re.compile(r"^(?P<version>\d[^_.]*)(?:_(?P<name>.+))?\.sql$")
# sql-migrate, goose and their like; dbmate
_DOWN = re.compile(rb"^[ \t]*--\s*(?:\+\w+\s+Down|migrate:down)\b", re.IGNORECASE | re.MULTILINE)


def _detect(directory: Path) -> bool:
    return any(_NAME.match(name) for name in file_names(directory))


def _read(directory: Path) -> Reading:
    matches = [(path, _NAME.match(path.name)) for path in files(directory)]
    named = [(path, match) for path, match in matches if match]
    keys = version_keys(match["version"] for _, match in named)
    return Reading(
        tuple(
            Found(match["version"], match["name"] or "", keys[match["version"]], up=Script(path))
            for path, match in named
        ),
        (
            *(misnamed(path, "VERSION_name.sql") for path, match in matches if not match),
            *foreign_steps(directory),
            *_sections_for_the_way_down(path for path, _ in named),
        ),
    )


def _sections_for_the_way_down(paths: Iterable[Path]) -> Iterator[Finding]:
    for path in paths:
        marks = (number for number, line in enumerate(lines_of(path), 1) if _DOWN.match(line))
        if first := next(marks, None):
            yield Finding(
                "file.invalid",
                Severity.ERROR,
                f"{path.name} has a section for the way down, which would run too.",
                next_step="Name its layout with --layout, or move the section to another file.",
                location=Location(path, first),
            )


def _scaffold(version: str, slug: str) -> dict[str, str]:
    return {f"{version}_{slug}.sql": f"-- {slug.replace('_', ' ')}\n"}


LAYOUT = Layout(
    name="flat",
    summary="VERSION_name.sql, no way down",
    rank=60,
    detect=_detect,
    read=_read,
    scaffold=_scaffold,
)
