"""Target + plan -> what the target itself says, in one transaction that is always rolled back.

Three things make a commit impossible. Only statements that the parser knows are sent, one at a
time, and none that begins or ends a transaction. After each the transaction must still be the one
that was begun. And in it two rows stand against a deferred constraint of a temporary table, so that
PostgreSQL itself refuses to commit it, whoever asks.

Refused before anything runs is what a rollback does not undo (`refusals`), with the migration it is
in and all after it. Locks are never held longer than the budget, nor waited for longer than the
target's lock_timeout.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confiture_flows.dryrun.report import TargetRehearsal
from confiture_flows.errors import ConfitureFlowsError, RehearsalError
from confiture_flows.migrations.diagnosis import LOCK_NOT_AVAILABLE, diagnose
from confiture_flows.migrations.python_script import FunctionCall
from confiture_flows.migrations.replay import Watch, beyond_scratch, unwatched
from confiture_flows.migrations.send import StatementFailed
from confiture_flows.migrations.session import session_reset
from confiture_flows.sql.operation import CreateTable, ModifyData
from confiture_flows.sql.operations import operations_of
from confiture_flows.sql.statements import Statement
from confiture_flows.target import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from confiture_flows.migrations.observer import Observer
    from confiture_flows.migrations.plan import Plan, Step
    from confiture_flows.target import Target

DEFAULT_BUDGET = 2.0  # seconds; what an application's own timeouts outlast
_CANCELLED = "57014"
_GUARD = "confiture_dry_run_guard"
# Two rows that are equal may be there only until the transaction ends.
_MAKE_GUARD = """
CREATE TEMPORARY TABLE confiture_dry_run_guard (n int UNIQUE DEFERRABLE INITIALLY DEFERRED);
INSERT INTO pg_temp.confiture_dry_run_guard VALUES (1), (1)
"""
_SEQUENCES = """
SELECT quote_ident(schemaname) || '.' || quote_ident(sequencename), last_value
FROM pg_catalog.pg_sequences
"""
_SURVIVES = {
    r"(?:nextval|setval)": "moves a sequence, which no rollback moves back",
    r"pg_(?:try_)?advisory_lock(?:_shared)?": "takes a lock that outlives the transaction",
    r"pg_advisory_unlock\w*": "gives up locks, which no rollback takes again",
    r"pg_(?:cancel|terminate)_backend": "ends what others do",
    r"pg_(?:reload_conf|rotate_logfile|switch_wal|create_restore_point|promote"
    r"|logical_emit_message|stat_reset\w*|export_snapshot)": "acts on the whole server",
}
_CALLS = tuple(
    (re.compile(rf"\b{name}\s*\(", re.IGNORECASE), why) for name, why in _SURVIVES.items()
)
_KINDS = {
    "discard_stmt": "throws away the session's state, and the guard with it",
    "constraints_set_stmt": "checks deferred constraints at once, and the guard is one",
    "call_stmt": "calls a procedure, which may do anything",
    "notify_stmt": "sends a message",
}


@dataclass(slots=True)
class _Visit:
    """The transaction on the target, and how far it is."""

    conn: Connection
    target: Target
    observer: Observer
    budget: float
    started: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        return self.budget - (time.monotonic() - self.started)


class _Stopped(Exception):
    """The rehearsal goes no further, for a reason that is no fault of the plan."""


def rehearse_on_target(
    plan: Plan,
    target: Target,
    *,
    budget: float = DEFAULT_BUDGET,
    watch: Watch = unwatched,
) -> TargetRehearsal:
    """Run a plan on the target as far as it can be undone, and undo it.

    Args:
        plan: What to run.
        target: The database; a session of its own is opened on it.
        budget: Seconds for which its transaction may be open.
        watch: Watches that session.

    Raises:
        TargetError: It does not answer, or does not let the guard be made.
        RehearsalError: A statement has left the transaction.
    """
    steps, refused, stopped = _allowed(plan)
    done: list[str] = []
    error: ConfitureFlowsError | None = None
    with connect(target, "dry run") as conn, watch(conn) as observer:
        before = dict(conn.execute(_SEQUENCES).fetchall())
        reset = tuple(
            each for each in session_reset(conn, target.limits) if not each.startswith("DISCARD")
        )
        conn.execute("; ".join(reset).encode())
        conn.execute("BEGIN")
        visit = _Visit(conn, target, observer, budget)
        try:
            conn.execute(_MAKE_GUARD)
            for step in steps:
                observer.tick()
                _run(visit, step)
                conn.execute("; ".join(reset).encode())
                done.append(step.migration.label)
        except _Stopped as reason:
            stopped = str(reason)
        except StatementFailed as failure:
            step = steps[len(done)]
            error = diagnose(failure, conn, step)
        finally:
            if not (conn.closed or conn.broken):
                conn.execute("ROLLBACK")
        seconds = time.monotonic() - visit.started
        after = dict(conn.execute(_SEQUENCES).fetchall())
    survived = tuple(
        f"Sequence {name} moved from {before[name]} to {value} meanwhile, by this or by others."
        for name, value in after.items()
        if name in before and value != before[name]
    )
    return TargetRehearsal(tuple(done), stopped, refused, seconds, survived, error)


def refusals(step: Step, made: set[tuple[str, str]]) -> Iterator[str]:
    """The statements of a step whose effects a rollback would not undo, and why.

    Args:
        step: Of a plan.
        made: Schema and name of the tables that the plan has made so far; more are added. What is
            written into them goes with them.
    """
    if beyond := beyond_scratch(step, private=False):
        statement, deed = beyond
        yield _place(step, statement, deed)
    for batch in step.script.batches():
        for part in batch.parts:
            if isinstance(part, FunctionCall):
                yield _place(step, part, "is a function, which may do anything")
            elif not isinstance(part, Statement):
                first = part.statements()[0]
                yield _place(step, first, "is data of a large file, which would leave dead rows")
            elif why := _why_refused(part, made):
                yield _place(step, part, why)
            elif batch.keep:
                made |= {
                    (each.table.schema, each.table.name)
                    for each in operations_of(part.sql)
                    # With IF NOT EXISTS it may be one that was there, with its rows.
                    if isinstance(each, CreateTable) and not each.if_not_exists
                }


def _why_refused(statement: Statement, made: set[tuple[str, str]]) -> str:
    if statement.forbids_transaction:
        return f"{statement.forbids_transaction} cannot be rolled back"
    if statement.may_commit:
        return "may commit by itself"
    if why := _KINDS.get(statement.kind):
        return why
    for pattern, why in _CALLS:
        if pattern.search(statement.sql):
            return why
    if statement.copy_data is not None:
        return "loads rows, which would leave dead ones"
    for operation in operations_of(statement.sql):
        if isinstance(operation, ModifyData) and operation.command != "copy to":
            table = operation.table
            if (table.schema, table.name) not in made:
                return f"writes rows of {table}, which leaves dead ones and may move sequences"
    return ""


def _allowed(plan: Plan) -> tuple[tuple[Step, ...], tuple[str, ...], str]:
    """The steps before the first that is refused, and what is refused in it."""
    made: set[tuple[str, str]] = set()
    steps: list[Step] = []
    for step in plan.steps:
        if refused := tuple(dict.fromkeys(refusals(step, made))):
            rest = len(plan.steps) - len(steps)
            stopped = f"On the target it went up to, and without, {step.migration.label}"
            return tuple(steps), refused, f"{stopped} ({rest} of {len(plan.steps)} left out)."
        steps.append(step)
    return tuple(steps), (), ""


def _run(visit: _Visit, step: Step) -> None:
    for batch in step.script.batches():
        if not batch.keep:
            continue  # the file rolls it back itself
        for part in batch.parts:
            if isinstance(part, Statement):
                _send(visit, step, part)


def _send(visit: _Visit, step: Step, statement: Statement) -> None:
    import psycopg
    from psycopg.pq import TransactionStatus

    conn, left = visit.conn, visit.left()
    place = f"{step.migration.label}, line {statement.line}"
    over = (
        f"The target's budget of {visit.budget:g} s for locks was used up at {place}; what comes "
        "after it was not run there."
    )
    if left <= 0:
        raise _Stopped(over)
    limit = visit.target.limits.lock_timeout_ms or 100
    milliseconds = max(int(left * 1000), 1)
    try:
        conn.execute(
            "SELECT pg_catalog.set_config('lock_timeout', %s, true), "
            "pg_catalog.set_config('statement_timeout', %s, true)",
            (f"{min(limit, milliseconds)}ms", f"{milliseconds}ms"),
        )
        if statement.copies_out:
            return  # it only sends rows to us
        # In the extended protocol the server takes no second statement.
        conn.execute(statement.sql.encode(), binary=True)
    except psycopg.Error as error:
        if error.sqlstate == LOCK_NOT_AVAILABLE:
            raise _Stopped(
                f"On the target somebody was in the way of {place}; what comes after it was not "
                "run there."
            ) from None
        if error.sqlstate == _CANCELLED and visit.left() <= 0.05:
            raise _Stopped(over) from None
        if error.diag.table_name == _GUARD:
            raise _Stopped(f"{place} tried to commit, or to check constraints at once.") from None
        raise StatementFailed(statement, error) from None
    if conn.info.transaction_status != TransactionStatus.INTRANS:
        raise RehearsalError(
            f"{place} has left the transaction; nothing more was sent.",
            next_step="Look whether it has changed something: confiture-flows verify --replay",
        )


def _place(step: Step, statement: Statement, why: str) -> str:
    return f"{statement.file or step.script.path}:{statement.line}: {statement.excerpt} ({why})"
