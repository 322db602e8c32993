"""Directory + ledger rows -> findings: where history and files disagree, and files that cannot run.

Touches no database; reads the files that are about to run, and parses them. A gate
turns findings into an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.errors import GateError, HistoryError, MigrationFileError
from confiture_flows.migrations.checksum import included_files
from confiture_flows.migrations.plan import Direction, plan_forward
from confiture_flows.report.finding import Finding, Location, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.config import OutOfOrder
    from confiture_flows.migrations.discovery import Directory
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.migration import Migration, Runnable

_HISTORY = "history."
_OUT_OF_ORDER = {None: Severity.WARNING, "refuse": Severity.ERROR, "apply": Severity.INFO}


def validate(
    directory: Directory,
    rows: tuple[LedgerRow, ...],
    *,
    direction: Direction = Direction.UP,
    production: bool = False,
    out_of_order: OutOfOrder | None = None,
) -> tuple[Finding, ...]:
    """Compare the directory with the ledger and read what is pending.

    Args:
        directory: As discovered; its own findings are passed on.
        rows: As read from the ledger.
        direction: Of the run to come. A rollback is the way out of an edited file, so
            that weighs less there.
        production: Makes a migration that would run out of order an error.
        out_of_order: Says so itself: "refuse" makes it an error, "apply" a mere notice.

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
    policy = _policy(out_of_order, production=production)
    findings += disagreements(directory, rows, direction=direction, out_of_order=policy)
    if direction is Direction.UP:
        findings += _unrunnable(directory, rows)
    return tuple(sorted(findings, key=lambda finding: -finding.severity))


def disagreements(
    directory: Directory,
    rows: tuple[LedgerRow, ...],
    *,
    direction: Direction = Direction.UP,
    out_of_order: OutOfOrder | None = None,
) -> tuple[Finding, ...]:
    """Where the ledger and the directory say different things: deleted, edited, out of order.

    Args:
        directory: As discovered.
        rows: As read from the ledger.
        direction: Of the run to come; what is pending concerns only the way forward.
        out_of_order: How bad that is: "refuse" an error, "apply" information, else a warning.
    """
    found = [*_deleted(directory, rows), *_edited(directory, rows, direction)]
    if direction is Direction.UP:
        found += _out_of_order(directory, rows, out_of_order)
    return tuple(found)


def contradictions(directory: Directory, rows: tuple[LedgerRow, ...]) -> tuple[Finding, ...]:
    """Where what is applied and what is on disk cannot both be true."""
    duplicates = (each for each in directory.findings if each.code == "history.duplicate")
    return (*duplicates, *_deleted(directory, rows), *_edited(directory, rows, Direction.UP))


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
    if repeatable := [row.version for row in gone if row.repeatable]:
        yield Finding(
            "history.deleted",
            Severity.WARNING,
            f"Repeatable migrations applied but not on disk: {', '.join(repeatable)}. What they "
            "made stays.",
            next_step="Drop it in a new migration and delete the row from the ledger, or restore "
            f"the file in {directory.path}.",
            version=repeatable[0],
        )
    if gone := [row for row in gone if not row.repeatable]:
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
        if migration is None or migration.repeatable:
            continue
        if row.checksum is None or row.checksum == migration.checksum:
            continue
        what, location = _what_was_edited(migration)
        yield Finding(
            "history.edited",
            Severity.ERROR if direction is Direction.UP else Severity.WARNING,
            f"{what} after it was applied ({row.applied_at:%Y-%m-%d %H:%M}).",
            next_step="Put the file back as it was and write the change as a new migration.",
            version=row.version,
            location=location,
        )


def _what_was_edited(migration: Migration) -> tuple[str, Location]:
    """Name the files that the checksum is about."""
    script = migration.up
    what = f"{migration.label} was edited"
    try:
        included = included_files(script)
    except MigrationFileError as error:
        if not migration.checksum:
            what = f"{migration.label} lost something that it includes ({error.message})"
        return what, Location(error.file or script.path, error.line)
    if included:
        names = ", ".join(path.name for path in included)
        what = f"{migration.label}, or what it includes ({names}), was edited"
    return what, Location(script.path)


def pending(directory: Directory, rows: tuple[LedgerRow, ...]) -> tuple[Migration, ...]:
    """The migrations that a run would apply, in its order; repeatable ones if new or changed."""
    return tuple(step.migration for step in plan_forward(directory.migrations, rows).steps)


def out_of_order(directory: Directory, rows: tuple[LedgerRow, ...]) -> frozenset[str]:
    """Versions that are pending although a later one is applied."""
    return frozenset(late_versions(directory.migrations, {row.version for row in rows}))


def late_versions(
    migrations: tuple[Migration, ...], applied: set[str] | frozenset[str]
) -> tuple[str, ...]:
    """Versions that are not applied although a later one is, in the directory's order.

    Repeatable migrations are of no order: they run again when they change.
    """
    versions = [migration.version for migration in migrations if not migration.repeatable]
    last = max((i for i, version in enumerate(versions) if version in applied), default=0)
    return tuple(version for version in versions[:last] if version not in applied)


def out_of_order_severity(out_of_order: OutOfOrder | None, *, production: bool) -> Severity:
    """How bad a target finds a migration that is out of order."""
    return _OUT_OF_ORDER[_policy(out_of_order, production=production)]


def _policy(out_of_order: OutOfOrder | None, *, production: bool) -> OutOfOrder | None:
    return out_of_order or ("refuse" if production else None)


def _out_of_order(
    directory: Directory, rows: tuple[LedgerRow, ...], policy: OutOfOrder | None
) -> Iterator[Finding]:
    late = out_of_order(directory, rows)
    for migration in directory.migrations:
        if migration.version in late:
            yield Finding(
                "history.out_of_order",
                _OUT_OF_ORDER[policy],
                f"{migration.label} is pending although a later migration is applied.",
                next_step=None
                if policy == "apply"
                else "Give it a version after the last applied one, unless the order "
                "does not matter to it; then run with --out-of-order apply.",
                version=migration.version,
                location=Location(migration.up.path),
            )


def _unrunnable(directory: Directory, rows: tuple[LedgerRow, ...]) -> Iterator[Finding]:
    for migration in pending(directory, rows):
        yield from _of_the_way_up(migration)
        down = migration.down
        # A broken way back does not harm the way forward, but it is better known now.
        if down and (finding := unrunnable_script(migration, down, Severity.WARNING)) is not None:
            yield finding


def _of_the_way_up(migration: Migration) -> Iterator[Finding]:
    try:
        batches = migration.up.batches()
    except MigrationFileError as error:
        yield _invalid(migration, migration.up, Severity.ERROR, error)
        return
    if not any(batch.parts for batch in batches):
        # As `new` writes it: somebody who applies it first can write nothing into it afterwards.
        yield Finding(
            "file.empty",
            Severity.INFO,
            f"{migration.label} holds no statement.",
            next_step="Write it before it is applied; once it is, leave it and write another one.",
            version=migration.version,
            location=Location(migration.up.path),
        )


def unrunnable_script(migration: Migration, script: Runnable, severity: Severity) -> Finding | None:
    """Why a script cannot be run as it stands; None if it can."""
    try:
        script.batches()
    except MigrationFileError as error:
        return _invalid(migration, script, severity, error)
    return None


def _invalid(
    migration: Migration, script: Runnable, severity: Severity, error: MigrationFileError
) -> Finding:
    return Finding(
        "file.invalid",
        severity,
        f"{migration.label}: {error.message}",
        next_step=error.next_step,
        version=migration.version,
        location=Location(error.file or script.path, error.line),
    )
