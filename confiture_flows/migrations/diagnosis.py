"""psycopg error + where it happened -> our error, with the next step. No database."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from confiture_flows.errors import (
    ApplyError,
    ConfitureFlowsError,
    LockError,
    PartialApplyError,
    TargetError,
    TargetUnreachableError,
    TransientApplyError,
)

if TYPE_CHECKING:
    import psycopg

    from confiture_flows.migrations.plan import Step
    from confiture_flows.migrations.transaction import StatementFailed
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
_COMMIT_STEP = "Look at the constraints and triggers that are deferred, then run again."
_PARTIAL_STEP = (
    "Undo by hand what is committed, or make those statements repeatable (IF NOT "
    "EXISTS), then run again: the script starts from its first statement."
)
_INVALID_INDEX_STEP = (
    "Mend what it says. It may have left an invalid index, which has to be dropped before the next "
    "run: SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid;"
)
# The server's words for where a COPY failed, in English only.
_COPY_ROW = re.compile(r"COPY .+?, line (\d+)")
# "Key (email)=(ada@shop.example) is duplicated.", "Failing row contains (1, ada, ...)."
_ROW_VALUES = re.compile(r"(Key \((?P<columns>.*?)\)=|Failing row contains )\(.*\)", re.DOTALL)
_DEFAULT_STEP = "Mend the statement, then run again: what is applied stays applied."


def lost_connection(error: psycopg.Error, conn: psycopg.Connection) -> bool:
    """Whether an error means that the session is gone, not that the SQL is wrong."""
    return conn.closed or conn.broken or (error.sqlstate or "").startswith(_LOST_STATES)


def diagnose(
    failure: StatementFailed, conn: psycopg.Connection, step: Step, committed: int = 0
) -> ConfitureFlowsError:
    """Turn what psycopg raised into what a person can act on.

    Args:
        failure: The statement and what was said of it.
        conn: To tell a lost connection from a wrong statement.
        step: What was running.
        committed: How many statements of the script are committed for good.
    """
    statement, error, at_commit = failure.statement, failure.error, failure.at_commit
    label = step.migration.label
    if lost_connection(error, conn):
        return _lost(step, statement, committed)
    if error.sqlstate == "25006" and not committed:
        return _file_is_read_only(step) if statement is None else read_only_error(conn, step)
    if statement is None and not at_commit and not committed:
        return _ledger_failure(error, step)
    kind: type[ApplyError] = TransientApplyError if error.sqlstate in _TRANSIENT else ApplyError
    default_step = _DEFAULT_STEP if statement else _COMMIT_STEP
    next_step = _NEXT_STEPS.get(error.sqlstate or "") or _duplicates_step(error) or default_step
    outcome = f"{label} was rolled back."
    if statement is None:
        outcome = f"That was found at commit, so {label} was rolled back."
    elif statement.leaves_traces:
        # Never retryable: what it has left would be in the way.
        interrupted = statement.may_commit or error.sqlstate == _CANCELLED
        kind = PartialApplyError if interrupted else ApplyError
        outcome, next_step = _traces(step, statement)
    elif statement.forbids_transaction:
        kind = ApplyError
        outcome = (
            f"{label} stopped there, and {statement.forbids_transaction} is never rolled back."
        )
    if committed:
        kind = PartialApplyError
        outcome = _partial_outcome(step, committed)
        next_step = _PARTIAL_STEP
    return kind(
        f"{_said(error, statement)} {outcome}",
        version=step.migration.version,
        file=step.script.path,
        line=_line(failure, statement) if statement else None,
        statement=statement.number if statement else None,
        sqlstate=error.sqlstate,
        excerpt=statement.excerpt if statement else None,
        next_step=next_step,
    )


def busy_error(
    error: psycopg.Error, step: Step, statement: Statement | None, waited: float
) -> LockError:
    """The error for a migration whose table stayed busy until patience ended."""
    return LockError(
        f"{step.migration.label} met a busy table for {waited:.1f} s and was rolled back "
        f"each time: {error.diag.message_primary}.",
        version=step.migration.version,
        file=step.script.path,
        line=statement.line if statement else None,
        statement=statement.number if statement else None,
        sqlstate=error.sqlstate,
        excerpt=statement.excerpt if statement else None,
        next_step="Run again at a quieter time, raise busy_patience, or end the session that "
        "holds the table: SELECT pid, query FROM pg_stat_activity WHERE state <> 'idle';",
    )


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


def _traces(step: Step, statement: Statement) -> tuple[str, str]:
    label = step.migration.label
    if statement.may_commit:
        return f"{label} stopped there; what it had committed by itself stays.", _PARTIAL_STEP
    what = statement.forbids_transaction
    return f"{label} stopped there, and {what} is never rolled back.", _INVALID_INDEX_STEP


def _file_is_read_only(step: Step) -> ApplyError:
    return ApplyError(
        f"{step.migration.label} made its transaction read-only, so its ledger row could not be "
        "written; it was rolled back.",
        version=step.migration.version,
        file=step.script.path,
        sqlstate="25006",
        next_step="Take READ ONLY out of the file.",
    )


def _lost(step: Step, statement: Statement | None, committed: int) -> ConfitureFlowsError:
    message = f"The connection broke while {step.migration.label} was running."
    if statement and statement.leaves_traces and not committed:
        # The server may still have gone on with it, or left half of it.
        outcome, next_step = _traces(step, statement)
        return PartialApplyError(
            f"{message} {outcome}",
            version=step.migration.version,
            file=step.script.path,
            line=statement.line,
            statement=statement.number,
            excerpt=statement.excerpt,
            next_step=next_step,
        )
    if committed:
        # Not retryable: the script would start from its first statement.
        return PartialApplyError(
            f"{message} {_partial_outcome(step, committed)} What was running when it broke may be "
            "committed too.",
            version=step.migration.version,
            file=step.script.path,
            next_step=_PARTIAL_STEP,
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
            f"{_said(error)} {label} was rolled back.",
            version=step.migration.version,
            file=step.script.path,
            next_step="Take the unlock out of the file.",
        )
    if error.sqlstate == "23505":
        return LockError(
            f"Another run has applied {label} meanwhile; this one was rolled back.",
            version=step.migration.version,
            next_step="Run again.",
        )
    return ApplyError(
        f"{_said(error)} {label} was rolled back, since its ledger row could not be written.",
        version=step.migration.version,
        file=step.script.path,
        sqlstate=error.sqlstate,
        next_step=_NEXT_STEPS.get(
            error.sqlstate or "", "Look whether the script changes the ledger or its schema."
        ),
    )


def _duplicates_step(error: psycopg.Error) -> str | None:
    key = _ROW_VALUES.search(error.diag.message_detail or "")
    table = error.diag.table_name
    if error.sqlstate != "23505" or not key or not key["columns"] or not table:
        return None
    columns = key["columns"]
    return (
        f"Find the rows: SELECT {columns}, count(*) FROM {table} GROUP BY {columns} "  # noqa: S608 - for a person
        "HAVING count(*) > 1; Mend them or the statement, then run again."
    )


def _said(error: psycopg.Error, statement: Statement | None = None) -> str:
    """The server's message, with what names the culprit: its detail, or the row of a COPY.

    Without the values of rows: reports are kept and shared, and may be about people.
    """
    if _LOCK_LOST in str(error):
        return "The script gave up the run's advisory lock (pg_advisory_unlock_all, DISCARD ALL)."
    detail = _ROW_VALUES.sub(r"\1(...)", error.diag.message_detail or "")
    parts = [error.diag.message_primary or str(error).strip(), detail]
    if statement and statement.copy_data is not None and error.diag.context:
        parts.append(error.diag.context.partition("\n")[0].partition(': "')[0])
    return " ".join(part.removesuffix(".") + "." for part in parts if part)


def _line(failure: StatementFailed, statement: Statement) -> int:
    diag = failure.error.diag
    row = _COPY_ROW.match(diag.context or "") if statement.copy_data is not None else None
    if row:
        return statement.line_at(len(statement.sql)) + int(row[1])
    if diag.statement_position is None:
        return statement.line
    return statement.line_at(int(diag.statement_position) - failure.offset)
