"""Directory + ledger rows + ForeignLedger -> Adoption: what to mark as applied. Pure.

Files are read to compare them with the checksums of the other tool. What does not match comes
back as findings, never as a guess.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confiture_flows.errors import PlanError
from confiture_flows.migrations.validate import late_versions
from confiture_flows.report.finding import Finding, Location, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.migrations.adoption import ForeignEntry, ForeignLedger, Key, Tool
    from confiture_flows.migrations.discovery import Directory
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.migration import Migration

SAY_WHICH = "Name the last migration that is applied: confiture-flows baseline --to VERSION"


@dataclass(frozen=True, slots=True)
class Adoption:
    """What a baseline would do.

    Attributes:
        migrations: Those of the directory.
        marked: Versions to mark as applied, in the directory's order.
        known: Versions that the ledger has already.
        late: Versions that stay pending although a later one is applied.
        entries: What the other tool says of a version of the directory.
        missing: What it has applied and the directory does not have.
        foreign: Its ledger; None when somebody said what is applied.
        findings: What does not match.
    """

    migrations: tuple[Migration, ...]
    marked: tuple[str, ...]
    known: frozenset[str]
    late: tuple[str, ...] = ()
    entries: tuple[tuple[str, ForeignEntry], ...] = ()
    missing: tuple[ForeignEntry, ...] = ()
    foreign: ForeignLedger | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def pending(self) -> tuple[str, ...]:
        """Versions that the next migrate will apply."""
        done = self.known | set(self.marked)
        return tuple(m.version for m in self.migrations if m.version not in done)


def adopt_through(directory: Directory, rows: tuple[LedgerRow, ...], to: str) -> Adoption:
    """Mark everything up to a version.

    Raises:
        PlanError: The directory has no such version.
    """
    versions = [migration.version for migration in directory.migrations]
    if to not in versions:
        raise PlanError(
            f"There is no migration {to}.", next_step="See what there is: confiture-flows status"
        )
    known = frozenset(row.version for row in rows)
    through = directory.migrations[: versions.index(to) + 1]
    marked = tuple(m.version for m in through if m.version not in known and not m.repeatable)
    return Adoption(directory.migrations, marked, known, findings=_blocking(directory))


def adopt(
    directory: Directory,
    rows: tuple[LedgerRow, ...],
    foreign: ForeignLedger,
    tool: Tool,
    *,
    production: bool = False,
) -> Adoption:
    """Match what another tool has applied with a directory.

    Args:
        directory: As discovered.
        rows: As read from the ledger.
        foreign: As read from the other tool's.
        tool: Whose that is.
        production: Makes what does not match an error, where it is a warning otherwise.
    """
    by_key: dict[Key, list[Migration]] = defaultdict(list)
    for migration in directory.migrations:
        key = None if migration.repeatable else tool.key(migration.version)
        if key is not None:
            by_key[key].append(migration)
    matched: dict[str, ForeignEntry] = {}
    missing: list[ForeignEntry] = []
    ambiguous: list[tuple[ForeignEntry, list[Migration]]] = []
    for entry in foreign.entries:
        key = tool.key(entry.version)
        found = by_key.get(key, []) if key is not None else []
        if not found:
            missing.append(entry)
        elif len(found) > 1 and foreign.through is None:
            ambiguous.append((entry, found))
        else:
            matched |= {migration.version: entry for migration in found}
    applied = {version for version, entry in matched.items() if entry.complete}
    applied |= _through(directory.migrations, foreign, tool)
    known = frozenset(row.version for row in rows)
    marked = tuple(
        m.version for m in directory.migrations if m.version in applied and m.version not in known
    )
    late = late_versions(directory.migrations, applied | known)
    severity = Severity.ERROR if production else Severity.WARNING
    return Adoption(
        directory.migrations,
        marked,
        known,
        late,
        tuple(
            (m.version, matched[m.version]) for m in directory.migrations if m.version in matched
        ),
        tuple(missing),
        foreign,
        (
            *_blocking(directory),
            *_unclear(foreign, matched, missing, ambiguous),
            *_missing(directory, foreign, missing, matched, severity),
            *_edited(directory, tool, matched, severity),
            *_late(directory, late, severity),
        ),
    )


def _through(migrations: tuple[Migration, ...], foreign: ForeignLedger, tool: Tool) -> set[str]:
    if foreign.through is None:
        return set()
    last = tool.key(foreign.through)
    if tool.ordered:
        keys = ((m.version, tool.key(m.version)) for m in migrations)
        # Keys of an ordered tool are tuples of numbers.
        return {version for version, key in keys if key is not None and key <= last}  # pyright: ignore[reportOperatorIssue]
    position = next((i for i, m in enumerate(migrations) if tool.key(m.version) == last), None)
    return set() if position is None else {m.version for m in migrations[: position + 1]}


def _blocking(directory: Directory) -> tuple[Finding, ...]:
    """What makes it unclear which migrations there are: a repeated version, an unreadable file."""
    placed = {migration.version for migration in directory.migrations}
    return tuple(
        finding
        for finding in directory.findings
        if finding.severity is Severity.ERROR
        # What cannot be run is of no concern when it was applied; migrate says it of the others.
        and not (finding.code == "file.invalid" and finding.version in placed)
    )


def _unclear(
    foreign: ForeignLedger,
    matched: dict[str, ForeignEntry],
    missing: list[ForeignEntry],
    ambiguous: list[tuple[ForeignEntry, list[Migration]]],
) -> Iterator[Finding]:
    if foreign.question:
        yield Finding("history.unclear", Severity.ERROR, foreign.question, SAY_WHICH)
    for entry in foreign.entries:
        if not entry.complete:
            yield Finding(
                "history.incomplete",
                Severity.ERROR,
                f"{foreign.tool} did not complete {entry.version}: {entry.note}.",
                f"Put it right with {foreign.tool} first, or see for yourself what is there. "
                + SAY_WHICH,
                version=entry.version,
            )
    for entry, found in ambiguous:
        files = " and ".join(migration.up.path.name for migration in found)
        yield Finding(
            "history.duplicate",
            Severity.ERROR,
            f"{foreign.tool}'s {entry.version} stands for more than one file: {files}.",
            SAY_WHICH,
            version=entry.version,
        )
    if foreign.entries and not matched and len(missing) == len(foreign.entries):
        yield Finding(
            "history.unclear",
            Severity.ERROR,
            f"Nothing that {foreign.tool} has applied is in this directory.",
            f"Name the directory with --dir, or its layout with --layout. {SAY_WHICH}",
        )


def _missing(
    directory: Directory,
    foreign: ForeignLedger,
    missing: list[ForeignEntry],
    matched: dict[str, ForeignEntry],
    severity: Severity,
) -> Iterator[Finding]:
    gone = [entry for entry in missing if entry.complete]
    if not gone or not matched:
        return  # where nothing matches, that has been said
    yield Finding(
        "history.deleted",
        severity,
        f"Applied by {foreign.tool} but not in {directory.path}: "
        f"{', '.join(entry.version for entry in gone)}.",
        "They are not marked. Restore their files, or go on if they were taken out on purpose.",
        version=gone[0].version,
    )


def _edited(
    directory: Directory, tool: Tool, matched: dict[str, ForeignEntry], severity: Severity
) -> Iterator[Finding]:
    if tool.unchanged is None:
        return
    for migration in directory.migrations:
        entry = matched.get(migration.version)
        if entry is None or entry.checksum is None or not entry.complete:
            continue
        if not tool.unchanged(migration.up.path.read_bytes(), entry.checksum):
            yield Finding(
                "history.edited",
                severity,
                f"{migration.label} was edited after {tool.name} applied it.",
                "Put the file back as it was; once it is marked, the file as it stands counts as "
                "the one that was applied.",
                version=migration.version,
                location=Location(migration.up.path),
            )


def _late(directory: Directory, late: tuple[str, ...], severity: Severity) -> Iterator[Finding]:
    versions = frozenset(late)
    for migration in directory.migrations:
        if migration.version in versions:
            yield Finding(
                "history.out_of_order",
                severity,
                f"{migration.label} is not applied although a later migration is.",
                "It stays pending, and the next migrate applies it.",
                version=migration.version,
                location=Location(migration.up.path),
            )
