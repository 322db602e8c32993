"""DryRunReport -> Findings: what somebody should know, what matters most first. Pure.

Within a severity, what concerns the largest table and holds a lock the longest comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from confiture_flows.dryrun.estimate import total
from confiture_flows.dryrun.report import RollbackVerdict
from confiture_flows.dryrun.words import duration, size, span
from confiture_flows.report.finding import Finding, Location, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.dryrun.report import (
        DryRunReport,
        Estimate,
        LockTaken,
        MigrationImpact,
        StatementImpact,
        TableSize,
    )

LONG = 1.0  # seconds that others may be kept waiting without a warning


@dataclass(frozen=True, slots=True)
class _Ranked:
    finding: Finding
    bytes: int = 0
    seconds: float = 0.0


def findings_of(report: DryRunReport) -> tuple[Finding, ...]:
    """What a report has to say, most important first."""
    sizes = {table.name: table for table in report.tables}
    ranked: list[_Ranked] = []
    for migration in report.migrations:
        ranked += _failures(migration)
        ranked += _blocking(migration, sizes)
        ranked += _way_back(migration)
    ranked += _whole_way_back(report)
    ranked += _about_target(report)
    for each in report.sessions:
        blocker = each.blocker
        finding = Finding(
            "impact.in_the_way",
            Severity.WARNING,
            f"{each.relation}: {blocker} holds {each.holds}, and {each.mode} would wait for it"
            + (f" (its transaction has run {duration(each.seconds)})." if each.seconds else "."),
            next_step=f"Wait for it to end, or end it: {blocker.ending}",
        )
        table = sizes.get(each.relation)
        ranked.append(_Ranked(finding, table.total_bytes if table else 0, each.seconds or 0))
    ranked += [
        _Ranked(Finding("rehearsal.unknown", Severity.INFO, said)) for said in report.unknown
    ]
    ranked.sort(key=lambda each: (-each.finding.severity, -each.bytes, -each.seconds))
    return tuple(each.finding for each in ranked)


def _failures(migration: MigrationImpact) -> Iterator[_Ranked]:
    if (error := migration.error) is not None:
        yield _Ranked(
            Finding(
                "rehearsal.failed",
                Severity.ERROR,
                f"{migration.label} fails: {error.message}",
                next_step=error.next_step,
                version=migration.version,
                location=Location(error.file or migration.file, error.line),
            )
        )
    if migration.not_run:
        yield _Ranked(
            Finding(
                "rehearsal.not_run",
                Severity.INFO,
                f"{migration.label} was not rehearsed: {migration.not_run}.",
                version=migration.version,
                location=Location(migration.file),
            )
        )


def _blocking(migration: MigrationImpact, sizes: dict[str, TableSize]) -> Iterator[_Ranked]:
    """One finding for each table that others use: its strongest lock, and what takes the time."""
    worst: dict[str, tuple[LockTaken, int]] = {}
    for index, statement in enumerate(migration.statements):
        for lock in statement.locks:
            if not (lock.existed and lock.mode.blocks_writes and lock.relation in sizes):
                continue
            known = worst.get(lock.relation)
            if known is None or lock.mode.strength > known[0].mode.strength:
                worst[lock.relation] = (lock, index)
    for name, (lock, index) in worst.items():
        if sizes[name].rows:
            yield _blocked(migration, sizes[name], lock, index)


def _blocked(migration: MigrationImpact, table: TableSize, lock: LockTaken, index: int) -> _Ranked:
    rest = migration.statements[index:]
    held = total([each.estimate for each in rest if each.estimate])
    culprit = _slowest(rest, table.name) or migration.statements[index]
    deeds = deeds_on(culprit, table.name)
    who = "reads and writes" if lock.mode.blocks_reads else "writes"
    size_dependent = any(each.worked_on for each in rest)
    static = all(each.seconds is None for each in rest)
    long = size_dependent if static or held is None or held.high is None else held.high >= LONG
    how_long = span(held) if held else "as long as its transaction takes"
    does = f" {', '.join(deeds)}" if deeds else ""
    message = (
        f"{migration.label}:{does or ' locks'} {table.name} ({table.rows:,} rows, "
        f"{size(table.total_bytes)}) under {lock.mode}; {who} wait {how_long}."
    )
    finding = Finding(
        "impact.blocks_reads" if lock.mode.blocks_reads else "impact.blocks_writes",
        Severity.WARNING if long else Severity.INFO,
        message,
        next_step=_advice(culprit, table.name) if long else None,
        version=migration.version,
        location=Location(culprit.file or migration.file, culprit.line),
    )
    return _Ranked(finding, table.total_bytes, (held.high or 0.0) if held else 0.0)


def _slowest(statements: tuple[StatementImpact, ...], table: str) -> StatementImpact | None:
    works = [each for each in statements if table in each.worked_on]
    return max(works, key=_high, default=None)


def _high(statement: StatementImpact) -> float:
    estimate: Estimate | None = statement.estimate
    return float("inf") if estimate is None or estimate.high is None else estimate.high


def deeds_on(statement: StatementImpact, table: str) -> tuple[str, ...]:
    """What a statement does with a table, in words; only what takes longer on a larger one."""
    deeds = ["rewrites"] if table in statement.rewrites else []
    if table not in statement.rewrites:
        deeds += ["builds an index on"] if any(on == table for _, on in statement.indexes) else []
        deeds += ["reads all of"] if table in statement.scans and not deeds else []
    return tuple(deeds)


def _advice(statement: StatementImpact, table: str) -> str:
    if table in statement.rewrites:
        return (
            "Add a new column, fill it in steps, and swap; or run it when nobody needs the table."
        )
    if any(on == table for _, on in statement.indexes):
        return "Build the index with CONCURRENTLY, which lets others write meanwhile."
    if statement.updated or statement.deleted or statement.kind in ("update_stmt", "delete_stmt"):
        return "Change the rows in steps, in a migration of its own, without this lock."
    if table in statement.scans:
        return "Add the constraint NOT VALID, and validate it in a migration of its own."
    return "Let the slow statements of this migration run in another one, without this lock."


def _way_back(migration: MigrationImpact) -> Iterator[_Ranked]:
    proof = migration.proof
    if proof is None:
        return
    place = Location(migration.down or migration.file)
    if proof.error:
        place = Location(proof.error.file or place.file, proof.error.line)
    if proof.verdict is RollbackVerdict.FAILS and proof.error:
        yield _Ranked(
            Finding(
                "rollback.fails",
                Severity.WARNING,
                f"The way back of {migration.label} fails: {proof.error.message}",
                next_step="Mend its down script before it is needed.",
                version=migration.version,
                location=place,
            )
        )
    elif proof.verdict is RollbackVerdict.DIFFERS:
        first = ", ".join(f"{each.kind} {each.name}" for each in proof.changes[:3])
        more = f" and {len(proof.changes) - 3} more" if len(proof.changes) > 3 else ""
        yield _Ranked(
            Finding(
                "rollback.differs",
                Severity.WARNING,
                f"The way back of {migration.label} does not lead back to where it began: {first}"
                f"{more}.",
                next_step="Let its down script restore that too.",
                version=migration.version,
                location=place,
            )
        )
    for loss in proof.losses:
        said = {
            "dropped": f"drops {loss.name} with {loss.values:,} values, as rehearsed",
            "emptied": f"makes {loss.name} again without its {loss.values:,} values",
            "deleted": f"deletes {loss.values:,} rows, as rehearsed",
        }[loss.what]
        yield _Ranked(
            Finding(
                "rollback.loses_data",
                Severity.WARNING,
                f"The way back of {migration.label} {said}.",
                next_step="Keep a copy before going back, or go forward with a new migration.",
                version=migration.version,
                location=place,
            )
        )


def _whole_way_back(report: DryRunReport) -> Iterator[_Ranked]:
    missing = [
        each.label
        for each in report.migrations
        if each.proof and each.proof.verdict is RollbackVerdict.NO_DOWN
    ]
    if missing:
        shown = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if missing[3:] else "")
        yield _Ranked(
            Finding("rollback.no_down", Severity.INFO, f"There is no way back for {shown}.")
        )
    proof = report.rollback
    if proof and proof.verdict in (RollbackVerdict.FAILS, RollbackVerdict.DIFFERS):
        what = proof.note or ", ".join(f"{each.kind} {each.name}" for each in proof.changes[:3])
        yield _Ranked(
            Finding(
                "rollback.plan",
                Severity.WARNING,
                f"The whole plan cannot be undone as it is: {what}.",
                version=proof.version,
            )
        )


def _about_target(report: DryRunReport) -> Iterator[_Ranked]:
    seen = report.on_target
    if seen is None:
        return
    if seen.error:
        yield _Ranked(
            Finding(
                "target.failed",
                Severity.ERROR,
                f"On the target it fails: {seen.error.message}",
                next_step=seen.error.next_step,
                version=seen.error.version,
                location=Location(seen.error.file, seen.error.line) if seen.error.file else None,
            )
        )
    for said in seen.refused:
        yield _Ranked(Finding("target.refused", Severity.INFO, f"Not run on the target: {said}."))
    if seen.stopped:
        yield _Ranked(Finding("target.stopped", Severity.INFO, seen.stopped))
    for said in seen.survived:
        yield _Ranked(Finding("target.survived", Severity.INFO, said))
