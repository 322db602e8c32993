"""Plan, status and run -> documents and JSON values. Pure; the wording of the engine's reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_flows.errors import ConfitureFlowsError, MigrationFileError, PartialApplyError
from confiture_flows.migrations.plan import Direction
from confiture_flows.migrations.status import State
from confiture_flows.report.document import Block, Code, Document, Facts, Paragraph, Table

if TYPE_CHECKING:
    from confiture_flows.migrations.journal import Entry
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.lifecycle import RunReport
    from confiture_flows.migrations.plan import Plan, Step
    from confiture_flows.migrations.resolve import Unfinished
    from confiture_flows.migrations.status import MigrationStatus

_WAITING = (State.PENDING, State.CHANGED, State.OUT_OF_ORDER, State.HALF_APPLIED)
_DONE = {Direction.UP: "applied", Direction.DOWN: "rolled back"}


def count(number: int, noun: str = "migration") -> str:
    """A number with its noun: "1 migration", "2 migrations"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _runs_as(step: Step) -> str:
    manner = step.script.manner()
    if not step.migration.repeatable:
        return manner
    return f"repeatable, {'changed' if step.replaces else 'new'}: {manner}"


def _stays(plan: Plan) -> str:
    return f"Repeatable migrations stay as they are: {', '.join(plan.stays)}."


def plan_document(plan: Plan, target: str) -> Document:
    """What a run would do."""
    verb = "apply" if plan.direction is Direction.UP else "roll back"
    stays = (Paragraph(_stays(plan)),) if plan.stays else ()
    if not plan.steps:
        return Document(f"{target}: nothing to {verb}", stays)
    return Document(
        f"{target}: {count(len(plan.steps))} to {verb}",
        (
            Table(
                ("version", "name", "runs as"),
                tuple(
                    (step.migration.version, step.migration.shown_name, _runs_as(step))
                    for step in plan.steps
                ),
            ),
            *stays,
        ),
    )


def plan_json(plan: Plan) -> dict[str, Any]:
    """What a run would do."""
    return {
        "direction": plan.direction,
        "to": plan.to,
        "stays": list(plan.stays),
        "steps": [
            {
                "version": step.migration.version,
                "name": step.migration.name,
                "file": step.script.path,
                "repeatable": step.migration.repeatable,
                "title": step.migration.title or None,
                "language": step.migration.language,
                "runs_as": step.script.manner(),
            }
            for step in plan.steps
        ],
    }


def status_document(entries: tuple[MigrationStatus, ...], target: str) -> Document:
    """Where each migration stands."""
    waiting = sum(1 for e in entries if e.state in _WAITING)
    done = sum(1 for each in entries if each.applied_at)
    return Document(
        f"{target}: {done} applied, {waiting} pending",
        (
            Table(
                ("version", "name", "state", "applied at", "way back"),
                tuple(
                    (
                        each.version,
                        each.shown_name,
                        each.state,
                        f"{each.applied_at:%Y-%m-%d %H:%M:%S}" if each.applied_at else "",
                        "repeatable" if each.repeatable else "yes" if each.reversible else "no",
                    )
                    for each in entries
                ),
            ),
        ),
    )


def unfinished_document(found: tuple[Unfinished, ...], target: str) -> Document:
    """What earlier runs have left half done, and what to do about each."""
    if not found:
        return Document(f"{target}: nothing is half done")
    blocks: list[Block] = []
    for each in found:
        way = "applied" if each.direction == "up" else "rolled back"
        entry = each.doubtful
        blocks.append(
            Facts(
                (
                    ("migration", each.version),
                    ("state", f"half {way}: {count(each.committed, 'statement')} committed"),
                    *_doubt(entry),
                )
            )
        )
        blocks.append(Code("\n".join(_ways_on(each)), "console"))
    return Document(f"{target}: {count(len(found))} half done", tuple(blocks))


def _ways_on(each: Unfinished) -> list[str]:
    command = "migrate" if each.direction == "up" else "rollback"
    resolve = f"confiture-flows resolve {each.version}"
    ways = [(f"confiture-flows {command}", "look in the catalog, and go on where it stopped")]
    if each.doubtful:
        ways += [
            (f"{resolve} --applied", "the statement in doubt took effect"),
            (f"{resolve} --not-applied", "it did not"),
        ]
    ways += [
        (f"{resolve} --all --applied", "the whole of it is done, by hand"),
        (f"{resolve} --all --not-applied", "nothing of it is left; it starts anew"),
    ]
    width = max(len(line) for line, _ in ways)
    return [f"{line:<{width}}  # {why}" for line, why in ways]


def _doubt(entry: Entry | None) -> tuple[tuple[str, str], ...]:
    if entry is None:
        return ()
    since = f"{entry.started_at:%Y-%m-%d %H:%M:%S}" if entry.started_at else "unknown"
    first = entry.sql.partition("\n")[0][:100]
    return (
        ("in doubt", f"statement {entry.statement}: {first}"),
        ("started at", f"{since}, by run {entry.run}"),
    )


def unfinished_json(found: tuple[Unfinished, ...]) -> dict[str, Any]:
    """What earlier runs have left half done."""
    return {
        "unfinished": [
            {
                "version": each.version,
                "direction": each.direction,
                "statements_committed": each.committed,
                "in_doubt": {
                    "statement": each.doubtful.statement,
                    "sql": each.doubtful.sql.partition("\n")[0][:100],
                    "started_at": each.doubtful.started_at,
                    "run": each.doubtful.run,
                }
                if each.doubtful
                else None,
            }
            for each in found
        ]
    }


def status_json(entries: tuple[MigrationStatus, ...]) -> dict[str, Any]:
    """Where each migration stands."""
    return {
        "migrations": [
            {
                "version": each.version,
                "name": each.name,
                "title": each.title or None,
                "language": each.language,
                "state": each.state,
                "applied_at": each.applied_at,
                "reversible": each.reversible,
                "repeatable": each.repeatable,
            }
            for each in entries
        ]
    }


def run_headline(report: RunReport) -> str:
    """How a run went, in one line."""
    verb = _DONE[report.direction]
    if report.error is not None:
        if report.done is None:
            return f"{report.target}: failed; what was {verb} could not be asked"
        if report.unverified:
            return f"{report.target}: {count(len(report.done))} {verb}, but verification failed"
        version = getattr(report.error, "version", None)
        place = f" at {version}" if version else ""
        if report.taken_back:
            undone = f"{count(len(report.taken_back))} {verb} and taken back"
            left = f", {len(report.done)} left" if report.done else ""
            return f"{report.target}: failed{place}; {undone}{left}"
        if not report.done:
            return f"{report.target}: failed{place}; nothing was {verb}"
        return f"{report.target}: failed{place}; {count(len(report.done))} {verb} before it"
    if not report.done:
        nothing = "apply" if report.direction is Direction.UP else "roll back"
        return f"{report.target}: nothing to {nothing}"
    stays = f". {_stays(report.plan)}" if report.plan and report.plan.stays else ""
    return f"{report.target}: {count(len(report.done))} {verb} in {report.elapsed:.1f} s{stays}"


def rows_table(rows: tuple[LedgerRow, ...]) -> Table:
    """Ledger rows as people read them."""
    return Table(
        ("version", "name", "took"),
        tuple((row.version, row.name, _took(row)) for row in rows),
        empty="No migration.",
    )


def failure_document(report: RunReport) -> Document:
    """What failed, what stays, what was undone, and what to type next."""
    error = report.error
    verb = _DONE[report.direction]
    blocks: list[Block] = []
    if not isinstance(error, ConfitureFlowsError):
        blocks.append(Paragraph(f"{type(error).__name__}: {error}", "bad"))
    else:
        blocks.append(Paragraph(error.message, "bad"))
        if facts := _place(error):
            blocks.append(Facts(facts))
        if error.excerpt:
            blocks.append(Code(error.excerpt, "sql"))
        if error.next_step:
            blocks.append(Paragraph(f"What to do next: {error.next_step}"))
    if report.taken_back:
        blocks.append(Paragraph(f"These were {verb}, and taken back since the run failed:"))
        blocks.append(rows_table(report.taken_back))
    if report.done is None:
        blocks.append(
            Paragraph(
                "The ledger could not be asked what this run committed. See: confiture-flows status"
            )
        )
    elif report.done:
        before = "" if report.unverified else " before it"
        blocks.append(Paragraph(f"These were {verb}{before} and stay {verb}:"))
        blocks.append(rows_table(report.done))
    elif report.plan and not report.taken_back:
        unchanged = "; the database is as it was before" if _is_untouched(report) else ""
        blocks.append(Paragraph(f"No migration was {verb}{unchanged}."))
    for finding in report.findings:
        if finding.diff:
            if not str(getattr(report.error, "message", "")).startswith(finding.message):
                blocks.append(Paragraph(finding.message))
            blocks.append(Code(finding.diff, "diff"))
    left = _not_run(report)
    if left:
        blocks.append(Paragraph(f"Still to do: {', '.join(left)}."))
    return Document(run_headline(report), tuple(blocks))


def run_json(report: RunReport) -> dict[str, Any]:
    """How a run went."""
    return {
        "direction": report.direction,
        "planned": [s.migration.version for s in report.plan.steps] if report.plan else None,
        "done": None
        if report.done is None
        else [
            {"version": row.version, "name": row.name, "milliseconds": row.execution_time_ms}
            for row in report.done
        ],
        "taken_back": [row.version for row in report.taken_back],
        "elapsed_seconds": round(report.elapsed, 3),
    }


def _place(error: ConfitureFlowsError) -> tuple[tuple[str, str], ...]:
    pairs = (
        ("Migration", error.version),
        ("File", f"{error.file}:{error.line}" if error.line else error.file),
        ("Statement", error.statement),
        ("SQLSTATE", error.sqlstate),
    )
    return tuple((name, str(value)) for name, value in pairs if value)


def _not_run(report: RunReport) -> list[str]:
    if report.plan is None or report.done is None:
        return []
    done = {row.version for row in report.done}
    return [s.migration.version for s in report.plan.steps if s.migration.version not in done]


def _is_untouched(report: RunReport) -> bool:
    """Whether the step the run was at can have left nothing behind: it is one transaction."""
    left = _not_run(report)
    if isinstance(report.error, PartialApplyError) or report.plan is None or not left:
        return False
    step = next(step for step in report.plan.steps if step.migration.version == left[0])
    try:
        batches = step.script.batches()
    except MigrationFileError:
        return True  # refused before it ran
    return len(batches) <= 1 and all(batch.transactional for batch in batches)


def _took(row: LedgerRow) -> str:
    milliseconds = row.execution_time_ms
    if milliseconds is None:
        return ""
    return f"{milliseconds} ms" if milliseconds < 10_000 else f"{milliseconds / 1000:.1f} s"
