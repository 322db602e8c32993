"""conn + directory + findings -> the same findings with diffs, and those about the way back.

What was edited since it was applied is shown line by line where the files were kept, passwords
masked.
"""

from __future__ import annotations

from dataclasses import replace
from difflib import unified_diff
from typing import TYPE_CHECKING

from confiture_flows.migrations.files import (
    applied_text,
    down_checksum,
    in_ascii,
    locate_files,
    read_down_checksums,
    read_texts,
)
from confiture_flows.migrations.ledger import locate_ledger
from confiture_flows.report.finding import Finding, Location, Severity
from confiture_flows.sql.statements import masked

if TYPE_CHECKING:
    from pathlib import Path

    from psycopg import Connection

    from confiture_flows.migrations.discovery import Directory
    from confiture_flows.migrations.migration import Migration, Runnable

EDITED, DOWN_EDITED = "history.edited", "history.down_edited"
_LONGEST_DIFF = 200  # lines


def with_edits(
    conn: Connection, ledger: str, directory: Directory, findings: tuple[Finding, ...]
) -> tuple[Finding, ...]:
    """Compare the files of applied migrations with what they were then.

    Args:
        conn: Outside a transaction.
        ledger: Name of the ledger table.
        directory: As discovered.
        findings: From `validate`.

    Returns:
        Findings, the most severe first.
    """
    located = locate_ledger(conn, ledger)
    table = locate_files(conn, located)
    if not located.exists or not table.readable:
        return findings
    then = read_down_checksums(conn, table)
    told = {each.version for each in findings if each.code == EDITED}
    by_version = {each.version: each for each in directory.migrations if not each.repeatable}
    downs = [
        migration
        for version, migration in by_version.items()
        if version in then and _is_news(migration, told) and _differs(migration, then[version])
    ]
    if not downs and not told:
        return findings
    versions = {each.version for each in downs} | {each for each in told if each}
    texts = read_texts(conn, table, sorted(versions))
    explained = [
        replace(each, diff=_difference(by_version[each.version].up, texts[each.version][0]))
        if each.code == EDITED and each.version in texts and each.version in by_version
        else each
        for each in findings
    ]
    explained += [_down_edited(each, then[each.version], texts) for each in downs]
    return tuple(sorted(explained, key=lambda finding: -finding.severity))


def _is_news(migration: Migration, told: set[str | None]) -> bool:
    """Whether nothing is said yet of the file that the way back stands in."""
    same_file = migration.down is not None and migration.down.path == migration.up.path
    return not (same_file and migration.version in told)


def _differs(migration: Migration, then: str | None) -> bool:
    now = down_checksum(migration.down)
    if "" in (now, then):  # one of them could not be read
        return False
    return now != then


def _down_edited(
    migration: Migration, then: str | None, texts: dict[str, tuple[str | None, str | None]]
) -> Finding:
    down = migration.down
    before = texts.get(migration.version, (None, None))[1]
    label, diff = migration.label, None
    if down is None:
        what, step = f"{label} had a way back when it was applied, and its file is gone.", "Restore"
        diff = _unified(migration.up.path, before or "", "") if before else None
    elif then is None:
        what, step = f"{label} had no way back when it was applied; there is one now.", "Read"
        diff = _difference(down, "")
    else:
        what, step = f"The way back of {label} was edited after it was applied.", "Read"
        diff = _difference(down, before)
    return Finding(
        DOWN_EDITED,
        Severity.WARNING,
        what,
        next_step="Restore it, if it is to be rolled back one day."
        if step == "Restore"
        else "See that it still takes back what was applied; a rollback runs it as it is now.",
        version=migration.version,
        location=Location(down.path if down else migration.up.path),
        diff=diff,
    )


def _difference(script: Runnable, before: str | None) -> str | None:
    now = applied_text(script)
    if now is None or before is None:
        return None
    if before.isascii() and not now.isascii() and before:
        now = in_ascii(now)  # as a database keeps it that cannot hold all characters
    return _unified(script.path, before, now)


def _unified(path: Path, before: str, now: str) -> str:
    lines = list(
        unified_diff(
            masked(before).splitlines(),
            masked(now).splitlines(),
            f"{path.name} as it was applied",
            f"{path.name} as it is now",
            lineterm="",
        )
    )
    if not lines:
        return "It differs in a password, or in the end of a line."
    left = len(lines) - _LONGEST_DIFF
    if left > 0:
        lines[_LONGEST_DIFF:] = [f"... and {left} lines more"]
    return "\n".join(lines)
