"""A migration that stopped half way -> the error that tells a person how to go on. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.errors import ApplyError, PartialApplyError, UnresolvedError
from confiture_flows.migrations.diagnosis import resolve_choices
from confiture_flows.migrations.plan import Direction

if TYPE_CHECKING:
    from confiture_flows.migrations.journal import Entry
    from confiture_flows.migrations.plan import Step
    from confiture_flows.sql.statements import Statement


def left_invalid_error(
    step: Step, statement: Statement, invalid: tuple[str, ...], committed: int
) -> ApplyError:
    """A build that was content with an index which is invalid."""
    kind = PartialApplyError if committed else ApplyError
    return kind(
        f"Index {', '.join(invalid)} was there before, and is invalid; IF NOT EXISTS left it as "
        "it is.",
        version=step.migration.version,
        file=statement.file or step.script.path,
        line=statement.line,
        statement=statement.number,
        excerpt=statement.excerpt,
        next_step="".join(f"DROP INDEX CONCURRENTLY {name}; " for name in invalid)
        + "Then run again: it goes on with this statement.",
    )


def changed_error(step: Step, entry: Entry) -> UnresolvedError:
    """A file that was edited in what is already committed."""
    label = step.migration.label
    way = "applied" if step.direction is Direction.UP else "rolled back"
    return UnresolvedError(
        f"{label} was stopped half way, and its file has changed since in what is already "
        f"committed: statement {entry.statement} was {first_line(entry.sql)!r}.",
        version=entry.version,
        file=step.script.path,
        statement=entry.statement,
        next_step="Restore the file and run again; change only what comes after. Or take "
        f"care of the rest by hand, and say how {label} stands:\n"
        f"  confiture-flows resolve {entry.version} --all --applied      it is wholly {way}\n"
        f"  confiture-flows resolve {entry.version} --all --not-applied  nothing of it is, it "
        "starts anew",
    )


def in_doubt_error(step: Step, entry: Entry, line: int | None) -> UnresolvedError:
    """A statement that may have taken effect or not."""
    when = f" at {entry.started_at:%Y-%m-%d %H:%M:%S}" if entry.started_at else ""
    return UnresolvedError(
        f"{step.migration.label} was stopped{when} in statement {entry.statement}, and nobody "
        "can tell whether that took effect.",
        version=entry.version,
        file=step.script.path,
        line=line,
        statement=entry.statement,
        excerpt=first_line(entry.sql),
        next_step=resolve_choices(entry.version),
    )


def first_line(sql: str) -> str:
    """What is shown of a statement in the journal."""
    return sql.partition("\n")[0][:100]
