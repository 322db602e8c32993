"""What verifying found -> findings, document, JSON. Checks a database by all means that were asked.

The differences that a replay found are shown as a diff: with a minus what the migrations make, with
a plus what the database holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import unified_diff
from typing import TYPE_CHECKING, Any

from confiture_flows.catalog.diff import Action
from confiture_flows.migrations.replay import Watch, replay, unwatched
from confiture_flows.migrations.report import count
from confiture_flows.migrations.verify import verify
from confiture_flows.report.document import Block, Code, Document, Paragraph, Table
from confiture_flows.report.finding import Finding, Severity
from confiture_flows.sql.secrets import masked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from confiture_flows.catalog.diff import Change
    from confiture_flows.migrations.migration import Migration
    from confiture_flows.migrations.replay import Replay
    from confiture_flows.target import Target

_MOST_CHANGES = 100
_MOST_LINES = 20  # of one definition
_DRIFT = "replay."
_UNKNOWN = "replay.unknown"


@dataclass(frozen=True, slots=True)
class Verification:
    """What was checked, and what was found.

    Attributes:
        applied: How many migrations were checked.
        scripts: How many of them have a verify script.
        findings: The most severe first.
        replay: None when it was not asked for.
    """

    applied: int
    scripts: int
    findings: tuple[Finding, ...]
    replay: Replay | None = None

    @property
    def differences(self) -> tuple[Finding, ...]:
        """The findings that the document shows as a diff."""
        return tuple(
            each for each in self.findings if each.code.startswith(_DRIFT) and each.code != _UNKNOWN
        )


def run_verification(
    conn: Connection,
    target: Target,
    migrations: tuple[Migration, ...],
    *,
    history: tuple[Migration, ...] | None = None,
    known: tuple[Finding, ...] = (),
    watch: Watch = unwatched,
) -> Verification:
    """Check a database.

    Args:
        conn: The database; in autocommit. Only read.
        target: Where `conn` leads.
        migrations: Those whose verify scripts run; they are applied.
        history: All migrations of the directory; what the ledger says of them is replayed and
            compared. None replays nothing.
        known: Findings to put beside what is found.
        watch: Watches the connections to the scratch database.
    """
    findings = [*known, *verify(conn, migrations)]
    found = None
    if history is not None:
        found = replay_for(conn, target, history, watch)
        findings += replay_findings(found)
    return Verification(
        len(migrations),
        sum(1 for migration in migrations if migration.verify),
        tuple(sorted(findings, key=lambda finding: -finding.severity)),
        found,
    )


def replay_for(
    conn: Connection, target: Target, migrations: tuple[Migration, ...], watch: Watch = unwatched
) -> Replay:
    """Replay as a target says: its ledger, its limits, its scratch server."""
    return replay(
        conn,
        migrations,
        ledger=target.ledger,
        limits=target.limits,
        scratch=target.scratch,
        watch=watch,
    )


def replay_findings(found: Replay) -> tuple[Finding, ...]:
    """A finding a difference; or the one that says why nothing is known."""
    if found.unknown is not None:
        return (
            Finding(
                _UNKNOWN,
                Severity.INFO,
                f"Whether the database is what its history makes is unknown. {found.unknown}",
                next_step=found.next_step,
                version=found.version,
                location=found.location,
            ),
        )
    return tuple(_difference(change) for change in found.changes)


def _difference(change: Change) -> Finding:
    thing = f"{change.kind} {change.name}"
    thing = thing[0].upper() + thing[1:]
    severity, code = Severity.ERROR, f"{_DRIFT}{change.action}"
    match change.action:
        case Action.ADDED:
            said = "is in the database, but no migration makes it."
            step = "Drop it, or write a migration that makes it (IF NOT EXISTS)."
        case Action.REMOVED:
            said = "is made by the migrations, but is not in the database."
            step = "Make it again, or write a migration that drops it (IF EXISTS)."
        case Action.REORDERED:
            severity, code = Severity.INFO, f"{_DRIFT}column_order"
            said = "has its columns in another order than the migrations give them."
            step = "It matters only to INSERT, COPY and SELECT * without a list of columns."
        case Action.ALTERED:
            said = "is not as the migrations make it" + _short_difference(change)
            step = "Change it back, or write a migration that makes it so."
            if change.kind == "extension":
                # A server installs what it has packaged.
                severity, code = Severity.INFO, f"{_DRIFT}extension_version"
                step = "Name the version in the migration if it matters: ... VERSION '1.2'."
    return Finding(code, severity, f"{thing} {said}", next_step=step)


def _short_difference(change: Change) -> str:
    before, after = masked(change.before or ""), masked(change.after or "")
    if "\n" in before + after or len(before + after) > 200:
        return "."
    return f": {after or 'nothing'}, instead of {before or 'nothing'}."


def verification_document(found: Verification, target: str) -> Document:
    """What was checked, and the differences as a diff."""
    checked = f"{target}: {count(found.applied)} checked, {count(found.scripts, 'verify script')}"
    if found.replay is None:
        return Document(checked + _ending(found))
    if found.replay.unknown is not None:
        return Document(f"{checked}, not replayed" + _ending(found))
    number = len(found.replay.changes)
    # Where its binaries are is for --json.
    title = f"{checked}, replayed in {found.replay.place.partition(' (')[0]}"
    if not number:
        return Document(title + _ending(found), ())
    more = number - _MOST_CHANGES
    blocks: list[Block] = [difference_block(found.replay.changes[:_MOST_CHANGES])]
    if more > 0:
        blocks.append(Paragraph(f"{count(more, 'more difference')}; --json has all.", "muted"))
    return Document(title + _ending(found), tuple(blocks))


def difference_block(changes: tuple[Change, ...]) -> Code:
    """Changes as a diff."""
    lines = ["--- what the migrations make", "+++ what the database holds"]
    for change in changes:
        lines += _diff_lines(change)
    return Code("\n".join(lines), "diff")


def _ending(found: Verification) -> str:
    if not found.findings:
        return ": all holds"
    number = len(found.differences)
    others = len(found.findings) - number
    parts = []
    if found.replay and found.replay.unknown is None:
        parts.append(count(number, "difference") if number else "no difference")
    if others:
        parts.append(count(others, "finding"))
    return ": " + ", ".join(parts)


def findings_table(findings: tuple[Finding, ...]) -> Table:
    """Findings for a page, where they are not printed one by one."""
    return Table(
        ("severity", "what", "what to do"),
        tuple((each.severity.label, each.message, each.next_step or "") for each in findings),
        empty="No finding.",
    )


def verification_json(found: Verification) -> dict[str, Any]:
    """What was checked, with all differences."""
    replayed = found.replay
    return {
        "applied": found.applied,
        "scripts": found.scripts,
        "replay": replayed
        and {
            "place": replayed.place or None,
            "migrations": replayed.migrations,
            "unknown": replayed.unknown,
            "changes": None
            if replayed.unknown is not None
            else [
                {
                    "kind": change.kind,
                    "name": change.name,
                    "action": change.action,
                    "expected": None if change.before is None else masked(change.before),
                    "found": None if change.after is None else masked(change.after),
                }
                for change in replayed.changes
            ],
        },
    }


def _diff_lines(change: Change) -> Iterator[str]:
    thing = f"{change.kind} {change.name}"
    before = masked(change.before or "").strip().splitlines()
    after = masked(change.after or "").strip().splitlines()
    if change.action is Action.REORDERED:
        yield f"  {thing} (order of columns)"
        yield f"-   {change.before}"
        yield f"+   {change.after}"
    elif change.action is not Action.ALTERED:
        sign, lines = ("+", after) if change.action is Action.ADDED else ("-", before)
        yield f"{sign} {thing}{_beside_name(lines)}"
    elif len(before) <= 1 and len(after) <= 1:
        yield f"- {thing}{_beside_name(before)}"
        yield f"+ {thing}{_beside_name(after)}"
    else:
        yield f"  {thing}"
        lines = [
            f"{line[0]}   {line[1:]}".rstrip()
            for line in list(unified_diff(before, after, n=1, lineterm=""))[2:]
            if not line.startswith("@@")
        ]
        yield from lines[:_MOST_LINES]
        if len(lines) > _MOST_LINES:
            yield f"    ({count(len(lines) - _MOST_LINES, 'more line')})"


def _beside_name(lines: list[str]) -> str:
    match lines:
        case []:
            return ""
        case [line]:
            return f": {line}"
        case _:
            return f" ({count(len(lines), 'line')})"
