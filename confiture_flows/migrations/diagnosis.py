"""psycopg error + where it happened -> our error, with the next step. No database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confiture_flows.errors import (
    ApplyError,
    ConfitureFlowsError,
    LockError,
    PartialApplyError,
    ResumableApplyError,
    TargetError,
    TargetUnreachableError,
    TransientApplyError,
)
from confiture_flows.migrations.blockers import named

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from confiture_flows.migrations.plan import Step
    from confiture_flows.migrations.send import StatementFailed
    from confiture_flows.sql.statements import Statement

_LOST_STATES = ("08", "57P01", "57P02", "57P03")
_TRANSIENT = ("40001", "40P01")
_CANCELLED = "57014"
_LOCK_LOST = "run lock lost"  # said by ledger.sql
LOCK_NOT_AVAILABLE = "55P03"

_NEXT_STEPS = {
    "2D000": "It ends transactions itself. Put `-- confiture: transaction=as-written` on the "
    "file's first line; its statements then commit one by one.",
    "25001": "It cannot run in a transaction. Put `-- confiture: transaction=none` on the "
    "file's first line.",
    "55P04": "A new enum value cannot be used before its transaction has ended. Put "
    "`-- confiture: transaction=none` on the file's first line, or use it in a later migration.",
    "42501": "Give the user the right it lacks, or run as a user who has it.",
    "57014": "It was cancelled, or ran longer than statement_timeout. Run again, or raise "
    "statement_timeout_ms of the target.",
    "53100": "Free disk space on the server, then run again.",
}
_FUNCTION_STEPS = _NEXT_STEPS | dict.fromkeys(
    ("25001", "2D000", "55P04"),
    "It needs a function outside of the run's transaction. Write `transactional = False` into the "
    "module.",
)
_UNLOCK_STEP = (
    "Take the unlock out of the file. If it has none, a pooler in transaction mode is in between: "
    "point the target at PostgreSQL itself."
)
_COMMIT_STEP = "Look at the constraints and triggers that are deferred, then run again."
# "Mend the statement" where one is to blame; the journal knows where to go on.
_RESUME = "then run again: it goes on where it stopped."
# The server's words for where a COPY failed, in English only.
_COPY_ROW = re.compile(r"COPY .+?, line (\d+)")
# "Key (email)=(ada@shop.example) is duplicated.", "Failing row contains (1, ada, ...)."
_ROW_VALUES = re.compile(r"(Key \((?P<columns>.*?)\)=|Failing row contains )\(.*\)", re.DOTALL)
_DEFAULT_STEP = "Mend the statement, then run again: what is applied stays applied."


def lost_connection(error: psycopg.Error, conn: psycopg.Connection) -> bool:
    """Whether an error means that the session is gone, not that the SQL is wrong."""
    return conn.closed or conn.broken or (error.sqlstate or "").startswith(_LOST_STATES)


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What a statement that failed outside transactions has left.

    Attributes:
        cleaned: Invalid indexes that were there and are dropped.
        left: Invalid indexes that could not be dropped now; the next run does.
        in_doubt: Whether it may have committed some of its work by itself.
        finished: Whether it took effect after all, once what it had begun was finished.
    """

    cleaned: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    in_doubt: bool = False
    finished: bool = False


def diagnose(
    failure: StatementFailed,
    conn: psycopg.Connection,
    step: Step,
    committed: int = 0,
    aftermath: Aftermath | None = None,
) -> ConfitureFlowsError:
    """Turn what psycopg raised into what a person can act on.

    Args:
        failure: The statement and what was said of it.
        conn: To tell a lost connection from a wrong statement.
        step: What was running.
        committed: How many statements of the script are committed for good.
        aftermath: What the statement has left, when it ran outside transactions.
    """
    statement, error = failure.statement, failure.error
    if failure.next_step is None and lost_connection(error, conn):
        return _lost(step, statement, committed, aftermath)
    if failure.waited is not None and not committed and not (aftermath and aftermath.left):
        return busy_error(failure, step, aftermath)
    if error.sqlstate == "25006" and not committed:
        return _file_is_read_only(step) if statement is None else read_only_error(conn, step)
    if statement is None and not failure.at_commit and not committed:
        return _ledger_failure(error, step)
    kind, outcome, next_step = _consequence(failure, step, committed, aftermath)
    return kind(
        f"{_said(error, step, statement)} {outcome}",
        version=step.migration.version,
        file=_file(step, statement),
        line=_line(failure, statement) if statement else None,
        statement=statement.number if statement else None,
        sqlstate=error.sqlstate,
        excerpt=statement.excerpt if statement else None,
        next_step=next_step,
    )


def _consequence(
    failure: StatementFailed, step: Step, committed: int, aftermath: Aftermath | None
) -> tuple[type[ApplyError], str, str]:
    """What a statement's failure means: the error's class, what stands now, what to do."""
    statement, state = failure.statement, failure.error.sqlstate or ""
    label = step.migration.label
    transient = state in _TRANSIENT or failure.waited is not None
    default = _COMMIT_STEP if failure.at_commit else _DEFAULT_STEP
    steps = _FUNCTION_STEPS if statement and statement.kind == "python" else _NEXT_STEPS
    next_step = (
        failure.next_step or steps.get(state) or _duplicates_step(failure.error, step) or default
    )
    if _LOCK_LOST in str(failure.error):
        next_step = _UNLOCK_STEP
    if failure.waited is not None:
        next_step = _busy_step(failure)
    if aftermath and aftermath.in_doubt:
        choices = resolve_choices(step.migration.version)
        if failure.next_step:
            choices = f"{failure.next_step} {choices}"
        return PartialApplyError, _in_doubt(step), choices
    if aftermath and aftermath.finished:
        outcome = f"{label} stopped there, and what that statement had begun is finished."
        return ResumableApplyError, outcome, f"Run again: {label} goes on after it."
    if committed or (aftermath and aftermath.left):
        kind = ResumableApplyError if transient else PartialApplyError
        outcome = _partial_outcome(step, committed) if committed else f"{label} stopped there."
        if not transient:
            next_step = f"{_mending(next_step)} {_RESUME}"
        return kind, f"{outcome}{_traces(aftermath)}{_in_the_way(failure)}", next_step
    kind = TransientApplyError if transient else ApplyError
    if aftermath and statement:
        what = statement.forbids_transaction or "what runs outside transactions"
        stopped = f"{label} stopped there, and {what} is never rolled back."
        return (
            kind,
            f"{label} stopped there.{_traces(aftermath)}" if aftermath.cleaned else stopped,
            next_step,
        )
    if statement is None:
        return kind, f"That was found at commit, so {label} was rolled back.", next_step
    return kind, f"{label} was rolled back.", next_step


def _mending(next_step: str) -> str:
    """A next step up to its "run again"."""
    return next_step.partition(", then run again")[0].rstrip(".") + ","


def _traces(aftermath: Aftermath | None) -> str:
    if aftermath and aftermath.cleaned:
        return f" The invalid index that it left, {', '.join(aftermath.cleaned)}, was dropped."
    if aftermath and aftermath.left:
        left = ", ".join(aftermath.left)
        return f" It left an invalid index, {left}, which the next run drops first."
    return ""


def _in_doubt(step: Step) -> str:
    return f"{step.migration.label} stopped there; what it had committed by itself stays."


def resolve_choices(version: str) -> str:
    """What to type when nobody can tell whether a statement took effect."""
    return (
        "Look at the database, and say how that statement stands:\n"
        f"  confiture-flows resolve {version} --applied      it took effect; the next run goes on "
        "after it\n"
        f"  confiture-flows resolve {version} --not-applied  it did not; the next run runs it again"
    )


def busy_error(
    failure: StatementFailed, step: Step, aftermath: Aftermath | None = None
) -> LockError:
    """The error for a migration whose table stayed busy until patience ended."""
    error, statement = failure.error, failure.statement
    waited, label = f"{failure.waited or 0:.1f} s", step.migration.label
    if error.sqlstate == LOCK_NOT_AVAILABLE:
        said = f": {error.diag.message_primary}."
        happened = f"{label} met a busy table for {waited} and was rolled back each time{said}"
    else:
        happened = (
            f"{label} waited {waited} for other sessions and was stopped.{_traces(aftermath)}"
        )
    return LockError(
        happened + _in_the_way(failure),
        version=step.migration.version,
        file=_file(step, statement),
        line=statement.line if statement else None,
        statement=statement.number if statement else None,
        sqlstate=error.sqlstate,
        excerpt=statement.excerpt if statement else None,
        next_step=_busy_step(failure),
    )


def _in_the_way(failure: StatementFailed) -> str:
    return f" In the way: {named(failure.blockers)}." if failure.blockers else ""


def _busy_step(failure: StatementFailed) -> str:
    quieter = "Run again at a quieter time, raise busy_patience, or end"
    if failure.blockers:
        return f"{quieter} what is in the way: {failure.blockers[0].ending}"
    look = "SELECT pid, query FROM pg_stat_activity WHERE state <> 'idle';"
    return f"{quieter} the session that holds the table: {look}"


def read_only_error(conn: psycopg.Connection, step: Step | None = None) -> TargetError:
    """The error for a target that takes no writes."""
    host = "this machine" if conn.info.host.startswith("/") else conn.info.host
    return TargetError(
        f"{conn.info.dbname} on {host or 'this machine'} is read-only: a standby, or "
        "default_transaction_read_only is on.",
        version=step.migration.version if step else None,
        next_step="Point the target at the primary.",
        sqlstate="25006",
    )


def _file_is_read_only(step: Step) -> ApplyError:
    return ApplyError(
        f"{step.migration.label} made its transaction read-only, so its ledger row could not be "
        "written; it was rolled back.",
        version=step.migration.version,
        file=step.script.path,
        sqlstate="25006",
        next_step="Take READ ONLY out of the file.",
    )


def _lost(
    step: Step, statement: Statement | None, committed: int, aftermath: Aftermath | None
) -> ConfitureFlowsError:
    message = f"The connection broke while {step.migration.label} was running."
    where = {
        "version": step.migration.version,
        "file": _file(step, statement),
        "line": statement.line if statement else None,
        "statement": statement.number if statement else None,
        "excerpt": statement.excerpt if statement else None,
    }
    if aftermath and aftermath.in_doubt:
        return PartialApplyError(
            f"{message} {_in_doubt(step)}",
            next_step=resolve_choices(step.migration.version),
            **where,
        )
    if committed or aftermath:
        outcome = f" {_partial_outcome(step, committed)}" if committed else ""
        return ResumableApplyError(
            f"{message}{outcome} What was running then may have gone on.",
            next_step="Run again: it finds out how far that got, and goes on from there.",
            **where,
        )
    return TargetUnreachableError(
        message,
        version=step.migration.version,
        file=step.script.path,
        next_step="Run again: the ledger knows whether it was committed.",
    )


def _partial_outcome(step: Step, committed: int) -> str:
    label = step.migration.label
    done = "1 statement is" if committed == 1 else f"{committed} statements are"
    if step.direction == "up":
        return (
            f"{label} stopped half way: {done} committed, the rest is not, and the ledger has "
            "no row for it."
        )
    return (
        f"{label} is undone half way: {done} committed, the rest is not, and the ledger still has "
        "its row."
    )


def _ledger_failure(error: psycopg.Error, step: Step) -> ConfitureFlowsError:
    label = step.migration.label
    if _LOCK_LOST in str(error):
        return ApplyError(
            f"{_said(error, step)} {label} was rolled back.",
            version=step.migration.version,
            file=step.script.path,
            next_step=_UNLOCK_STEP,
        )
    if error.sqlstate == "23505":
        return LockError(
            f"Another run has applied {label} meanwhile; this one was rolled back.",
            version=step.migration.version,
            next_step="Run again.",
        )
    return ApplyError(
        f"{_said(error, step)} {label} was rolled back, since its ledger row could not be written.",
        version=step.migration.version,
        file=step.script.path,
        sqlstate=error.sqlstate,
        next_step=_NEXT_STEPS.get(
            error.sqlstate or "", "Look whether the script changes the ledger or its schema."
        ),
    )


def _file(step: Step, statement: Statement | None) -> Path:
    return (statement.file if statement else None) or step.script.path


def _duplicates_step(error: psycopg.Error, step: Step) -> str | None:
    key = _ROW_VALUES.search(error.diag.message_detail or "")
    if error.sqlstate != "23505" or not key or not key["columns"] or not error.diag.table_name:
        return None
    columns = step.script.without_values(key["columns"])
    table = step.script.without_values(error.diag.table_name)
    return (
        f"Find the rows: SELECT {columns}, count(*) FROM {table} GROUP BY {columns} "  # noqa: S608 - for a person
        "HAVING count(*) > 1; Mend them or the statement, then run again."
    )


def _said(error: psycopg.Error, step: Step, statement: Statement | None = None) -> str:
    """The server's message, with what names the culprit: its detail, or the row of a COPY.

    Without the values of rows, and of placeholders: reports are kept and shared.
    """
    if _LOCK_LOST in str(error):
        return "The script gave up the run's advisory lock (pg_advisory_unlock_all, DISCARD ALL)."
    detail = _ROW_VALUES.sub(r"\1(...)", error.diag.message_detail or "")
    parts = [error.diag.message_primary or str(error).strip(), detail]
    if statement and statement.copy_data is not None and error.diag.context:
        parts.append(error.diag.context.partition("\n")[0].partition(': "')[0])
    said = " ".join(part.removesuffix(".") + "." for part in parts if part)
    return step.script.without_values(said)


def _line(failure: StatementFailed, statement: Statement) -> int:
    diag = failure.error.diag
    row = _COPY_ROW.match(diag.context or "") if statement.copy_data is not None else None
    if row:
        return statement.line_at(len(statement.sql), int(row[1]))
    if diag.statement_position is None:
        return statement.line
    return statement.line_at(int(diag.statement_position) - failure.offset)
