"""DryRunReport -> Document, for terminals, Prefect, pull requests and a file of its own. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.catalog.diff import Action
from confiture_flows.dryrun.estimate import total
from confiture_flows.dryrun.findings import deeds_on
from confiture_flows.dryrun.report import Depth, RollbackVerdict
from confiture_flows.dryrun.words import duration, size, span
from confiture_flows.migrations.plan import Direction
from confiture_flows.report.document import Block, Code, Document, Facts, Paragraph, Table
from confiture_flows.report.finding import Severity
from confiture_flows.sql.secrets import masked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.catalog.diff import Change
    from confiture_flows.dryrun.report import (
        DryRunReport,
        MigrationImpact,
        RollbackProof,
        StatementImpact,
    )

_MOST_ROWS = 40  # of one table; --format json has all
_MOST_CHANGES = 12
_GOOD = (RollbackVerdict.PROVEN, RollbackVerdict.COLUMN_ORDER)


def verdict_line(report: DryRunReport) -> str:
    """What came of it, in a line."""
    number = len(report.migrations)
    many = "1 migration" if number == 1 else f"{number} migrations"
    if not number:
        return f"{report.target}: nothing to run"
    if report.error:
        failed = next((each.label for each in report.migrations if each.error), "the target")
        return f"{report.target}: {many}, and it would fail at {failed}"
    warnings = sum(1 for each in report.findings if each.severity >= Severity.WARNING)
    run = "looked at" if report.depth is Depth.STATIC or not report.place else "rehearsed"
    if warnings:
        said = "1 warning" if warnings == 1 else f"{warnings} warnings"
        return f"{report.target}: {many} {run}, {said}"
    if report.rollback and report.rollback.verdict in _GOOD:
        return f"{report.target}: {many} {run}, safe, and all of it can be undone"
    return f"{report.target}: {many} {run}, no warning"


def dry_run_document(report: DryRunReport, *, findings: bool = True) -> Document:
    """All that a report says to people.

    Args:
        report: What was found.
        findings: Whether its findings are in the document; a terminal prints them itself.
    """
    blocks: list[Block] = [Facts(tuple(_facts(report)))]
    if report.migrations:
        blocks += [Paragraph("Migrations"), _migrations(report)]
    if findings:
        blocks += [Paragraph("Findings"), _findings(report)]
    statements = tuple(_statements(report))
    if statements:
        blocks.append(Paragraph("Statements that lock or change what others use"))
        blocks += _cut(
            ("where", "statement", "lock", "does", "here", "on the target", "needs"), statements
        )
    if report.tables:
        blocks += [Paragraph("Tables of the target that the plan touches"), *_tables(report)]
    if report.sessions:
        blocks += [Paragraph("In the way now", "bad"), _sessions(report)]
    blocks += _ways_back(report)
    blocks += [Paragraph(f"Unknown: {said}", "muted") for said in report.unknown]
    return Document(verdict_line(report), tuple(blocks))


def _facts(report: DryRunReport) -> Iterator[tuple[str, str]]:
    yield "target", f"{report.target}, {report.server}"
    yield (
        "depth",
        {
            Depth.STATIC: "static: nothing was executed",
            Depth.SCRATCH: "scratch: executed in a scratch database",
            Depth.TARGET: "target: also executed on the target, and rolled back there",
        }[report.depth],
    )
    if report.place:
        yield "rehearsed in", report.place.partition(" (")[0]
    locks = report.table_locks
    yield "locks on tables", f"{locks} that others could meet"
    if report.rollback:
        note = f" ({report.rollback.note})" if report.rollback.note else ""
        yield "way back of all", f"{report.rollback.verdict}{note}"
    if seen := report.on_target:
        ran = f"{len(seen.migrations)} of {len(report.migrations)} migrations"
        yield "on the target", f"{ran}, transaction open for {duration(seen.seconds)}"
    yield "took", duration(report.elapsed)


def _migrations(report: DryRunReport) -> Table:
    rows = [
        (
            each.label,
            _here(each),
            _on_target(each),
            _strongest(each),
            "" if each.changes is None else str(len(each.changes)),
            _verdict(each),
        )
        for each in report.migrations
    ]
    if len(rows) > _MOST_ROWS:
        rows = [*rows[:_MOST_ROWS], (f"and {len(rows) - _MOST_ROWS} more", "", "", "", "", "")]
    return Table(
        ("migration", "here", "on the target", "strongest lock", "changes", "way back"), tuple(rows)
    )


def _here(migration: MigrationImpact) -> str:
    if migration.error:
        return "fails"
    return "not run" if migration.seconds is None else duration(migration.seconds)


def _on_target(migration: MigrationImpact) -> str:
    estimates = [each.estimate for each in migration.statements if each.estimate]
    found = total(estimates)
    return "" if found is None else span(found) if found.known else "unknown"


def _strongest(migration: MigrationImpact) -> str:
    locks = sorted(migration.table_locks, key=lambda each: (-each[1].strength, each[0]))
    if not locks:
        return "none on what was there"
    name, mode = locks[0]
    more = len({each for each, _ in locks}) - 1
    return f"{mode} on {name}" + (f" and {more} more" if more else "")


def _verdict(migration: MigrationImpact) -> str:
    return str(migration.proof.verdict) if migration.proof else ""


def _findings(report: DryRunReport) -> Table:
    return Table(
        ("severity", "what", "what to do"),
        tuple(
            (each.severity.label, each.message, each.next_step or "") for each in report.findings
        ),
        empty="No finding.",
    )


def _statements(report: DryRunReport) -> Iterator[tuple[str, ...]]:
    sizes = {table.name: table for table in report.tables}
    ranked = [
        (statement, migration)
        for migration in report.migrations
        for statement in migration.statements
        if _matters(statement)
    ]

    def weight(pair: tuple[StatementImpact, MigrationImpact]) -> tuple[float, float]:
        statement = pair[0]
        names = {*statement.worked_on, *(lock.relation for lock in statement.locks)}
        largest = max((sizes[name].total_bytes for name in names if name in sizes), default=0)
        return -largest, -(statement.estimate.high or 0 if statement.estimate else 0)

    for statement, migration in sorted(ranked, key=weight):
        locks = sorted(
            (lock for lock in statement.locks if lock.existed and lock.kind == "table"),
            key=lambda lock: -lock.mode.strength,
        )
        lock = f"{locks[0].mode} on {locks[0].relation}" if locks else "held already"
        deeds = [
            f"{deed} {name}" for name in statement.worked_on for deed in deeds_on(statement, name)
        ]
        counts = (("inserts", statement.inserted), ("updates", statement.updated))
        deeds += [f"{verb} {number:,} rows" for verb, number in counts if number]
        deeds += [f"deletes {statement.deleted:,} rows"] if statement.deleted else []
        guess = statement.estimate
        needs = f"{size(guess.disk_bytes)} disk" if guess and guess.disk_bytes else ""
        if guess and guess.wal_bytes and statement.worked_on:
            needs += f"{', ' if needs else ''}{size(guess.wal_bytes)} WAL"
        yield (
            f"{migration.version}:{statement.line}",
            statement.excerpt,
            lock,
            "; ".join(deeds) or statement.note,
            "" if statement.seconds is None else duration(statement.seconds),
            "" if guess is None else span(guess) if guess.known else "unknown",
            needs,
        )


def _matters(statement: StatementImpact) -> bool:
    strong = any(
        lock.existed and lock.mode.blocks_writes and lock.kind == "table"
        for lock in statement.locks
    )
    return strong or bool(statement.worked_on or statement.updated or statement.deleted)


def _tables(report: DryRunReport) -> list[Block]:
    rows = tuple(
        (
            table.name,
            f"{table.rows:,}",
            size(table.table_bytes),
            size(table.index_bytes),
            f"{table.sampled:,}",
            ", ".join(table.dependents[:4]) + (" …" if table.dependents[4:] else ""),
        )
        for table in report.tables
    )
    return _cut(("table", "rows", "table size", "indexes", "rows rehearsed", "depend on it"), rows)


def _sessions(report: DryRunReport) -> Table:
    return Table(
        ("table", "holds", "would wait", "since", "session"),
        tuple(
            (
                each.relation,
                str(each.holds),
                str(each.mode),
                "hidden" if each.seconds is None else duration(each.seconds),
                str(each.blocker),
            )
            for each in report.sessions
        ),
    )


def _ways_back(report: DryRunReport) -> list[Block]:
    if report.direction is not Direction.UP:
        return []
    blocks: list[Block] = []
    for migration in report.migrations:
        proof = migration.proof
        if proof and proof.verdict is RollbackVerdict.DIFFERS:
            blocks.append(Paragraph(f"After {migration.label} and its way back"))
            blocks.append(Code("\n".join(_diff(proof)), "diff"))
    if len(blocks) > 2 * _MOST_CHANGES:
        more = len(blocks) // 2 - _MOST_CHANGES
        blocks = [*blocks[: 2 * _MOST_CHANGES], Paragraph(f"and {more} more", "muted")]
    return blocks


def _diff(proof: RollbackProof) -> Iterator[str]:
    yield "--- before"
    yield "+++ after going up and down"
    for change in proof.changes[:_MOST_CHANGES]:
        yield from _change(change)
    if proof.changes[_MOST_CHANGES:]:
        yield f"  and {len(proof.changes) - _MOST_CHANGES} more"


def _change(change: Change) -> Iterator[str]:
    thing = f"{change.kind} {change.name}"
    before, after = (_short(each) for each in (change.before, change.after))
    if change.action is Action.REORDERED:
        yield f"  {thing} (order of columns)"
        return
    if change.before is not None:
        yield f"- {thing}{before}"
    if change.after is not None:
        yield f"+ {thing}{after}"


def _short(definition: str | None) -> str:
    text = " ".join(masked(definition or "").split())
    return "" if not text else f": {text[:160]}…" if len(text) > 160 else f": {text}"


def _cut(columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> list[Block]:
    blocks: list[Block] = [Table(columns, rows[:_MOST_ROWS])]
    if rows[_MOST_ROWS:]:
        blocks.append(Paragraph(f"and {len(rows) - _MOST_ROWS} more; JSON has all", "muted"))
    return blocks
