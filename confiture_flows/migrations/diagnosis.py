"""psycopg error + where it happened -> our error, with the next step. No database."""

from __future__ import annotations

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
    from confiture_flows.sql.statements import Statement

_LOST = ("08", "57P01", "57P02", "57P03")
_TRANSIENT = ("40001", "40P01")
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
_DEFAULT_STEP = "Mend the statement, then run again: what is applied stays applied."


def lost_connection(error: psycopg.Error, conn: psycopg.Connection) -> bool:
    """Whether an error means that the session is gone, not that the SQL is wrong."""
    return conn.closed or conn.broken or (error.sqlstate or "").startswith(_LOST)


def diagnose(
    error: psycopg.Error,
    conn: psycopg.Connection,
    step: Step,
    statement: Statement | None,
    committed: int = 0,
) -> ConfitureFlowsError:
    """Turn what psycopg raised into what a person can act on.

    Args:
        error: From the statement, or from the ledger's own statement after it.
        conn: To tell a lost connection from a wrong statement.
        step: What was running.
        statement: The failing one; None is the ledger's or the commit.
        committed: How many statements of the script are committed for good.
    """
    label = step.migration.label
    if lost_connection(error, conn):
        return TargetUnreachableError(
            f"The connection broke while {label} was running.",
            version=step.migration.version,
            file=step.script.path,
            next_step="Run again: the ledger knows whether it was committed.",
        )
    if error.sqlstate == "25006":
        return TargetError(
            f"{conn.info.dbname} on {conn.info.host} is read-only.",
            sqlstate="25006",
            next_step="Point the target at the primary.",
        )
    if statement is None:
        return _ledger_failure(error, step)
    kind: type[ApplyError] = ApplyError
    if error.sqlstate in _TRANSIENT:
        kind = TransientApplyError
    outcome = f"{label} was rolled back."
    next_step = _NEXT_STEPS.get(error.sqlstate or "", _DEFAULT_STEP)
    if committed:
        kind = PartialApplyError
        outcome = (
            f"{label} stopped half way: its first {committed} statement(s) are committed, "
            "the rest was not run, and the ledger has no row for it."
            if step.direction == "up"
            else f"{label} is undone half way: {committed} statement(s) of its down script are "
            "committed, and the ledger still has its row."
        )
        next_step = (
            "Undo by hand what is committed, or make those statements repeatable (IF NOT "
            "EXISTS), then run again: the script starts from its first statement."
        )
    return kind(
        f"{_said(error)} {outcome}",
        version=step.migration.version,
        file=step.script.path,
        line=statement.line_at(_position(error)),
        statement=statement.number,
        sqlstate=error.sqlstate,
        excerpt=statement.excerpt,
        next_step=next_step,
    )


def busy_error(error: psycopg.Error, step: Step, statement: Statement, waited: float) -> LockError:
    """The error for a migration whose table stayed busy until patience ended."""
    return LockError(
        f"{step.migration.label} met a busy table for {waited:.0f} s and was rolled back "
        f"each time: {error.diag.message_primary}.",
        version=step.migration.version,
        file=step.script.path,
        line=statement.line,
        statement=statement.number,
        sqlstate=error.sqlstate,
        excerpt=statement.excerpt,
        next_step="Run again at a quieter time, raise busy_patience, or end the session that "
        "holds the table: SELECT pid, query FROM pg_stat_activity WHERE state <> 'idle';",
    )


def _ledger_failure(error: psycopg.Error, step: Step) -> ConfitureFlowsError:
    label = step.migration.label
    message = error.diag.message_primary or str(error)
    if "run lock lost" in message:
        return LockError(
            f"{label} gave up the run's advisory lock (pg_advisory_unlock_all?) "
            "and was rolled back.",
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
        f"{message}: {label} was rolled back, since it could not be committed with its ledger row.",
        version=step.migration.version,
        file=step.script.path,
        sqlstate=error.sqlstate,
        next_step=_NEXT_STEPS.get(
            error.sqlstate or "",
            "A constraint that is checked at commit failed, or the script "
            "changed the ledger or its schema.",
        ),
    )


def _said(error: psycopg.Error) -> str:
    """The server's message, with its detail where that names the culprit."""
    message = error.diag.message_primary or str(error).strip()
    detail = error.diag.message_detail
    return f"{message}. {detail}" if detail else f"{message}."


def _position(error: psycopg.Error) -> int | None:
    position = error.diag.statement_position
    return int(position) if position else None
