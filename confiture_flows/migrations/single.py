"""A whole plan in one transaction: all of it, ledger rows included, or nothing.

Refuses, before anything runs, a plan with a statement that cannot be in it, naming each.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from confiture_flows.errors import ConfitureFlowsError, LedgerError, PlanError
from confiture_flows.migrations.diagnosis import diagnose
from confiture_flows.migrations.execution import record_of
from confiture_flows.migrations.ledger import returned_row
from confiture_flows.migrations.patience import patiently, roll_back
from confiture_flows.migrations.send import StatementFailed
from confiture_flows.migrations.transaction import run_transaction
from confiture_flows.sql.script import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confiture_flows.migrations.execution import Run
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.plan import Plan, Step
    from confiture_flows.sql.statements import Statement

# What a commit between the migrations would do: check what is deferred, and defer again what
# the schema defers. PostgreSQL has no word for the second.
CHECK_DEFERRED = """
DO $confiture$
DECLARE names text;
BEGIN
    SET CONSTRAINTS ALL IMMEDIATE;
    SELECT pg_catalog.string_agg(pg_catalog.format('%I.%I', n.nspname, c.conname), ', ') INTO names
    FROM pg_catalog.pg_constraint AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.connamespace
    WHERE c.condeferrable AND c.condeferred
        AND n.nspname !~ '^pg_temp';
    IF names IS NOT NULL THEN
        EXECUTE pg_catalog.concat('SET CONSTRAINTS ', names, ' DEFERRED');
    END IF;
END
$confiture$
"""
NO_OPENING = "SET LOCAL client_encoding = 'UTF8'"  # a step's first result, as BEGIN is elsewhere
_PLAIN_BEGIN = re.compile(r"(BEGIN|START)(\s+(TRANSACTION|WORK))?", re.IGNORECASE)
_SET_TRANSACTION = re.compile(r"SET\s+(LOCAL\s+)?TRANSACTION\b", re.IGNORECASE)


def check_single_transaction(plan: Plan, unfinished: frozenset[str] = frozenset()) -> None:
    """Refuse a plan that cannot be one transaction.

    Args:
        plan: What is to run.
        unfinished: The versions that an earlier run has left half done.

    Raises:
        PlanError: It holds what PostgreSQL, or the file itself, wants in transactions of its own.
        MigrationFileError: A script cannot be run as it stands.
    """
    half = [each.migration.label for each in plan.steps if each.migration.version in unfinished]
    if half:
        raise PlanError(
            f"{half[0]} is half done, and cannot be finished in one transaction with the rest.",
            next_step="Finish it first: run without --single-transaction.",
        )
    found = [line for step in plan.steps for line in _own_transactions(step)]
    found += _enum_values_used_later(plan)
    if found:
        lines = "".join(f"\n  {line}" for line in found)
        raise PlanError(
            f"The plan cannot be one transaction:{lines}",
            next_step="Run without --single-transaction, or up to there with --to.",
        )


def _own_transactions(step: Step) -> Iterator[str]:
    batches = step.script.batches()
    if step.migration.language == "Python":
        yield f"{step.script.path}: its function has a transaction of its own"
        return
    alone = [each for batch in batches if not batch.transactional for each in batch.statements]
    for statement in alone:
        why = statement.forbids_transaction or (
            "may commit by itself" if statement.may_commit else "stands alone (transaction=none)"
        )
        yield _place(step, statement, why)
    for batch in batches:
        if not batch.keep:
            yield _place(step, batch.statements[0], "the file rolls it back")
        elif not _PLAIN_BEGIN.fullmatch(batch.opening.strip()):
            yield _place(step, batch.statements[0], f"the file begins it with {batch.opening}")
        for statement in batch.statements if batch.transactional else ():
            if _SET_TRANSACTION.match(statement.sql):
                yield _place(step, statement, "speaks of its transaction only")
    if not alone and len(batches) > 1:
        yield _place(step, batches[1].statements[0], "the file commits before it")


def _enum_values_used_later(plan: Plan) -> Iterator[str]:
    # From version 17 on PostgreSQL allows it where the transaction made the type too; not before.
    added: dict[str, Statement] = {}
    for step in plan.steps:
        for statement in (each for batch in step.script.batches() for each in batch.statements):
            for literal, adding in added.items():
                if literal in statement.sql:
                    why = f"uses the value {literal}, which line {adding.line} of "
                    yield _place(step, statement, f"{why}{adding.file} adds")
            if statement.enum_value:
                added["'" + statement.enum_value.replace("'", "''") + "'"] = statement


def _place(step: Step, statement: Statement, why: str) -> str:
    return f"{statement.file or step.script.path}:{statement.line}: {statement.excerpt} ({why})"


def run_single(
    run: Run, steps: tuple[Step, ...], check: Callable[[Step], None]
) -> tuple[LedgerRow, ...]:
    """Run steps and write, or erase, their ledger rows, all in one transaction.

    A busy table rolls all of it back, and it starts anew.

    Args:
        run: What they are a part of.
        steps: Checked with `check_single_transaction`.
        check: Called with each step before it runs.

    Returns:
        A row a step; observers have heard of them after the commit.

    Raises:
        ConfitureFlowsError: As `execute_step`; nothing is left of any step.
    """
    whole = _Whole(run, steps, check)
    try:
        rows = patiently(whole.run, lambda: whole.step, run.limits, run.observer, run.lookout)
    except StatementFailed as failure:
        raise whole.told(diagnose(failure, run.conn, whole.step)) from None
    except ConfitureFlowsError as error:
        roll_back(run.conn)
        raise whole.told(error) from None
    except BaseException:
        roll_back(run.conn)
        raise
    for step, row in zip(steps, rows, strict=True):
        run.observer.finished(step, row)
    return rows


class _Whole:
    """The transaction, and how far it is."""

    def __init__(self, run: Run, steps: tuple[Step, ...], check: Callable[[Step], None]) -> None:
        self._run, self._steps, self._check = run, steps, check
        self.step = steps[0]

    def run(self) -> tuple[LedgerRow, ...]:
        import psycopg

        self._execute("BEGIN")
        rows = tuple(self._one(step) for step in self._steps)
        try:
            end = self._run.conn.execute("COMMIT")
        except psycopg.Error as error:
            raise StatementFailed(None, error, at_commit=True) from None
        if end.statusmessage != "COMMIT":
            raise LedgerError(f"The server answered COMMIT with {end.statusmessage}.")
        return rows

    def told(self, error: ConfitureFlowsError) -> ConfitureFlowsError:
        """The error, which now says that nothing before it is left either."""
        before = self._steps.index(self.step)
        if before and error.code != "target_unreachable":
            labels = ", ".join(step.migration.label for step in self._steps[:before])
            error.message += f" The run is one transaction, so {labels} went with it."
        return error

    def _one(self, step: Step) -> LedgerRow:
        run, self.step = self._run, step
        self._check(step)
        run.observer.tick()
        run.observer.started(step)
        started = time.monotonic()
        statements = tuple(
            statement for batch in step.script.batches() for statement in batch.statements
        )
        inside = run.hooks.inside(step)
        if inside and inside.before:
            inside.before(run.conn)
        self._send(Batch(statements, opening=NO_OPENING))
        if inside and inside.after:
            inside.after(run.conn)
        elapsed = int((time.monotonic() - started) * 1000)
        row = self._send(Batch((), opening=NO_OPENING), record_of(run, step, elapsed_ms=elapsed))
        if row is None:
            raise LedgerError(f"The ledger had no row for {step.migration.label} to erase.")
        self._execute("; ".join(run.reset))
        return returned_row(row)

    def _send(self, batch: Batch, *record: Any) -> tuple[Any, ...] | None:
        try:
            return run_transaction(self._run.conn, batch, *record, closing=CHECK_DEFERRED)
        except StatementFailed as failure:
            context = failure.error.diag.context or ""
            if failure.statement is None and "SET CONSTRAINTS" in context:
                failure.at_commit = True
            raise

    def _execute(self, sql: str) -> None:
        import psycopg

        try:
            self._run.conn.execute(sql.encode())
        except psycopg.Error as error:
            raise StatementFailed(None, error) from None
