"""Directory + ledger rows -> findings: where history and files disagree, and files that cannot run.

Touches no database; reads the files that are about to run, and parses them. A gate
turns findings into an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.errors import GateError, HistoryError, MigrationFileError
from confiture_flows.migrations.plan import Direction
from confiture_flows.report.finding import Finding, Location, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.migrations.discovery import Directory
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.migration import Migration, Script

_HISTORY = "history."


def validate(
    directory: Directory,
    rows: tuple[LedgerRow, ...],
    *,
    direction: Direction = Direction.UP,
    production: bool = False,
) -> tuple[Finding, ...]:
    """Compare the directory with the ledger and read what is pending.

    Args:
        directory: As discovered; its own findings are passed on.
        rows: As read from the ledger.
        direction: Of the run to come. A rollback is the way out of an edited file, so
            that weighs less there.
        production: Makes a migration that would run out of order an error.

    Returns:
        Findings, the most severe first.
    """
    applied = {row.version for row in rows}
    # What could not be run is of no concern once it has been.
    findings = [
        finding
        for finding in directory.findings
        if finding.code != "file.invalid" or finding.version not in applied
    ]
    findings += _deleted(directory, rows)
    findings += _edited(directory, rows, direction)
    if direction is Direction.UP:
        findings += _out_of_order(directory, rows, production=production)
        findings += _unrunnable(directory, rows)
    return tuple(sorted(findings, key=lambda finding: -finding.severity))


def stop_at_gate(findings: tuple[Finding, ...], gate: Severity) -> None:
    """Raise when a finding reaches the gate.

    Raises:
        HistoryError: One of those says that history does not match.
        GateError: None of them does.
    """
    stopping = [finding for finding in findings if finding.severity >= gate]
    if not stopping:
        return
    first = stopping[0]
    kind = GateError
    if any(finding.code.startswith(_HISTORY) for finding in stopping):
        kind = HistoryError
        first = next(finding for finding in stopping if finding.code.startswith(_HISTORY))
    more = len(stopping) - 1
    raise kind(
        first.message + (f" ({more} more like it.)" if more else ""),
        next_step=first.next_step,
        version=first.version,
        file=first.location.file if first.location else None,
        line=first.location.line if first.location else None,
    )


def _deleted(directory: Directory, rows: tuple[LedgerRow, ...]) -> Iterator[Finding]:
    on_disk = {migration.version for migration in directory.migrations}
    gone = [row for row in rows if row.version not in on_disk and row.archived_into is None]
    if gone:
        versions = ", ".join(row.version for row in gone)
        yield Finding(
            "history.deleted",
            Severity.ERROR,
            f"Migrations applied but not on disk: {versions}.",
            next_step=f"Restore their files in {directory.path}, "
            f"for example from git: git log --diff-filter=D -- {directory.path}",
            version=gone[0].version,
        )


def _edited(
    directory: Directory, rows: tuple[LedgerRow, ...], direction: Direction
) -> Iterator[Finding]:
    by_version = {migration.version: migration for migration in directory.migrations}
    for row in rows:
        migration = by_version.get(row.version)
        if migration is None or row.checksum is None or row.checksum == migration.checksum:
            continue
        yield Finding(
            "history.edited",
            Severity.ERROR if direction is Direction.UP else Severity.WARNING,
            f"{migration.label} was edited after it was applied ({row.applied_at:%Y-%m-%d %H:%M}).",
            next_step="Put the file back as it was and write the change as a new migration.",
            version=row.version,
            location=Location(migration.up.path),
        )


def pending(directory: Directory, rows: tuple[LedgerRow, ...]) -> tuple[Migration, ...]:
    """The migrations that are not applied, in the directory's order."""
    applied = {row.version for row in rows}
    return tuple(m for m in directory.migrations if m.version not in applied)


def out_of_order(directory: Directory, rows: tuple[LedgerRow, ...]) -> frozenset[str]:
    """Versions that are pending although a later one is applied."""
    applied = {row.version for row in rows}
    versions = [migration.version for migration in directory.migrations]
    last = max((i for i, version in enumerate(versions) if version in applied), default=-1)
    return frozenset(version for version in versions[: max(last, 0)] if version not in applied)


def _out_of_order(
    directory: Directory, rows: tuple[LedgerRow, ...], *, production: bool
) -> Iterator[Finding]:
    late = out_of_order(directory, rows)
    for migration in directory.migrations:
        if migration.version in late:
            yield Finding(
                "history.out_of_order",
                Severity.ERROR if production else Severity.WARNING,
                f"{migration.label} is pending although a later migration is applied.",
                next_step="Give it a version after the last applied one, unless the order "
                "does not matter to it.",
                version=migration.version,
                location=Location(migration.up.path),
            )


def _unrunnable(directory: Directory, rows: tuple[LedgerRow, ...]) -> Iterator[Finding]:
    for migration in pending(directory, rows):
        if (finding := _unrunnable_script(migration, migration.up, Severity.ERROR)) is not None:
            yield finding
        down = migration.down
        # A broken way back does not harm the way forward, but it is better known now.
        if down and (finding := _unrunnable_script(migration, down, Severity.WARNING)) is not None:
            yield finding


def _unrunnable_script(migration: Migration, script: Script, severity: Severity) -> Finding | None:
    try:
        script.batches()
    except MigrationFileError as error:
        return Finding(
            "file.invalid",
            severity,
            f"{migration.label}: {error.message}",
            next_step=error.next_step,
            version=migration.version,
            location=Location(error.file or script.path, error.line),
        )
    return None
