"""Files that hold both directions below mark comments -> Found values, for goose and dbmate.

Refuses SQL outside of the sections and a second section of one direction: it would not run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confiture_flows.errors import MigrationFileError
from confiture_flows.migrations.layouts import Found, Reading
from confiture_flows.migrations.layouts._files import files, foreign_steps, misnamed, sections
from confiture_flows.migrations.migration import Script
from confiture_flows.report.finding import Finding, Location, Severity
from confiture_flows.sql.script import read_marker
from confiture_flows.sql.source import read_source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from confiture_flows.sql.script import TransactionMode

_COMMENTS = re.compile(r"--[^\r\n]*|/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Annotation:
    """How a tool marks the parts of a file.

    Attributes:
        file_name: Groups `version` and `name`.
        expected: The file name in words.
        up: The line that starts the way up.
        down: The line that starts the way down.
        transaction: Text of the file and of a section's first line -> its mode.
        key: A match of `file_name` -> what the tool sorts by.
        refuse: A line the tool would act on and this package does not.
    """

    file_name: re.Pattern[str]
    expected: str
    up: re.Pattern[str]
    down: re.Pattern[str]
    transaction: Callable[[str, str], TransactionMode]
    key: Callable[[re.Match[str]], int | str]
    refuse: re.Pattern[str] | None = None


def read_annotated(directory: Path, annotation: Annotation) -> Reading:
    """Read a folder of annotated files; what cannot be read becomes a finding."""
    found: list[Found] = []
    findings: list[Finding] = list(foreign_steps(directory))
    for path in files(directory):
        if not (match := annotation.file_name.match(path.name)):
            findings.append(misnamed(path, annotation.expected))
            continue
        try:
            text = read_source(path)
            scripts = _scripts(text, path, annotation)
        except MigrationFileError as error:
            findings.append(_finding(path, match["version"], error))
            continue
        if annotation.refuse and (unknown := annotation.refuse.search(text)):
            line = text.count("\n", 0, unknown.start()) + 1
            refusal = MigrationFileError(f"{unknown[0].strip()} is not supported.", line=line)
            findings.append(_finding(path, match["version"], refusal))
        key = (annotation.key(match),)
        name = match["name"] or ""
        found.append(Found(match["version"], name, key, scripts["up"], scripts.get("down")))
    return Reading(tuple(found), tuple(findings))


def _scripts(text: str, path: Path, annotation: Annotation) -> dict[str, Script]:
    """The scripts of a file by direction.

    Raises:
        MigrationFileError: Some of its SQL belongs to no direction, or to one a second time.
    """
    parts = sections(text, {"up": annotation.up, "down": annotation.down})
    if "up" not in dict(parts):
        raise MigrationFileError("The file has no section for the way up.")
    lines = text.split("\n")
    before = "\n".join(lines[: parts[0][1][0] - 1])
    bare = _COMMENTS.sub(lambda comment: "\n" * comment[0].count("\n"), before)
    if stray := bare.lstrip():
        line = bare.count("\n", 0, len(bare) - len(stray)) + 1
        raise MigrationFileError("The file holds SQL before its first section.", line=line)
    header = read_marker(before, path)
    scripts: dict[str, Script] = {}
    for part, (first, last) in parts:
        if part in scripts:
            raise MigrationFileError(
                f"The file has a second section for the way {part}.", line=first
            )
        mode = header or annotation.transaction(text, lines[first - 1])
        scripts[part] = Script(path, (first, last), mode)
    return scripts


def _finding(path: Path, version: str, error: MigrationFileError) -> Finding:
    return Finding(
        "file.invalid",
        Severity.ERROR,
        error.message,
        next_step=error.next_step,
        version=version,
        location=Location(path, error.line),
    )
