"""A script that is not one transaction -> run batch by batch, with a journal, and resumed.

A batch in a transaction commits with its journal entry. A statement that PostgreSQL refuses
in a transaction is journalled before and after; stopped in between, it is recognised by
what it changed in the catalog, and where nobody can tell, a person is asked.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from confiture_flows.errors import ApplyError, UnresolvedError
from confiture_flows.migrations.checksum import file_checksum
from confiture_flows.migrations.diagnosis import Aftermath, diagnose, resolve_choices
from confiture_flows.migrations.execution import finish_step
from confiture_flows.migrations.journal import (
    Entry,
    batch_checksum,
    create_journal,
    excerpt_for_journal,
)
from confiture_flows.migrations.patience import patiently, roll_back
from confiture_flows.migrations.plan import Direction
from confiture_flows.migrations.recognition import Verdict, invalid_indexes, judge, note_before
from confiture_flows.migrations.transaction import (
    Record,
    StatementFailed,
    run_statement,
    run_transaction,
)
from confiture_flows.sql.effects import Effect, EffectKind, effect_of
from confiture_flows.sql.script import Batch

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_flows.migrations.execution import Run
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.plan import Step
    from confiture_flows.migrations.transaction import Query
    from confiture_flows.sql.statements import Statement

_IN_A_TRANSACTION = "25001"
_SET_TIMEOUTS = (
    "SELECT pg_catalog.set_config('lock_timeout', %s, false), "
    "pg_catalog.set_config('statement_timeout', %s, false)"
)
_REPAIR_SECONDS = 10  # to take away what a failed statement left; the next run tries again


def run_batchwise(run: Run, step: Step, batches: tuple[Batch, ...]) -> LedgerRow:
    """Run what is not done yet of a script, and write or erase its ledger row.

    Raises:
        ConfitureFlowsError: See `execute_step`.
    """
    return _Script(run, step, batches).run()


@dataclass(slots=True)
class _Script:
    """A script on its way.

    Attributes:
        committed: How many of its statements are committed for good.
    """

    context: Run
    step: Step
    batches: tuple[Batch, ...]
    committed: int = 0

    def run(self) -> LedgerRow:
        started = time.monotonic()
        self.context.journal = create_journal(self.context.conn, self.context.journal)
        done = self._resume()
        left = list(enumerate(self.batches))[done:]
        last = Batch(())  # a transaction of its own for the ledger row, unless the script's last is
        if left and left[-1][1].transactional and left[-1][1].keep:
            last = left.pop()[1]
        for number, batch in left:
            self.context.observer.tick()
            self._run_batch(number, batch)
            self.committed += len(batch.statements) if batch.keep else 0
        elapsed = int((time.monotonic() - started) * 1000)
        forget = self.context.journal.forget(*self._key())
        return finish_step(
            self.context,
            self.step,
            last,
            also=(forget,),
            elapsed_ms=elapsed,
            committed=self.committed,
        )

    def _resume(self) -> int:
        """How many batches are over; settles what an earlier run has left open."""
        entries = {entry.batch: entry for entry in self.context.unfinished.get(self._key(), ())}
        if not entries:
            return 0
        over = 0
        for number in range(max(entries) + 1):
            batch = self.batches[number] if number < len(self.batches) else None
            entry = entries.get(number)
            if entry is None:
                if batch is None or batch.keep:
                    break
                continue  # a transaction that the file itself rolls back
            if not entry.done and not self._settle(entry):
                break
            if batch is None or entry.checksum != batch_checksum(batch):
                raise self._changed(entry)
            over = number + 1
            self.committed += entry.statements
            self._repeat_settings(batch)
        if over < len(self.batches):
            self.context.observer.resumed(self.step, self.batches[over].statements[0])
        return over

    def _settle(self, entry: Entry) -> bool:
        """Whether a statement that an earlier run was stopped in took effect."""
        verdict = judge(self.context.conn, effect_of(self._sql_of(entry)), entry.noted)
        if verdict.took_effect is None:
            raise self._in_doubt(entry)
        for repair in verdict.repairs:
            if problem := self._repair(repair):
                raise ApplyError(
                    f"{self.step.migration.label} was stopped in statement {entry.statement}, and "
                    f"what it left half done cannot be mended: {problem}",
                    version=entry.version,
                    file=self.step.script.path,
                    statement=entry.statement,
                    excerpt=_first_line(entry.sql),
                    next_step=f"Try it by hand: {repair}; Then run again.",
                )
        if verdict.took_effect:
            self._write(replace(entry, done=True))
        else:
            self._forget(entry)
        return verdict.took_effect

    def _run_batch(self, number: int, batch: Batch) -> None:
        entry = Entry(
            *self._key(),
            batch=number,
            statement=batch.statements[0].number,
            statements=len(batch.statements),
            sql=excerpt_for_journal(batch),
            checksum=batch_checksum(batch),
            file_checksum=file_checksum(self.step.script.path),
            done=True,
            run=self.context.name,
        )
        first = batch.statements[0]
        # PostgreSQL 12 and later let an enum value be added in a transaction of its own.
        alone = not batch.transactional and first.enum_value is None
        if alone and (first.may_commit or first.forbids_transaction):
            self._run_alone(entry, first)
            return
        record = Record((self._writing(entry),), lasting=False) if batch.keep else Record()
        try:
            self._patiently(lambda: run_transaction(self.context.conn, batch, record))
        except StatementFailed as failure:
            if alone and failure.error.sqlstate == _IN_A_TRANSACTION:
                self._run_alone(entry, first)
                return
            raise self._diagnosed(failure) from None

    def _run_alone(self, entry: Entry, statement: Statement) -> None:
        """Run a statement outside transactions, with an entry before and after it."""
        conn = self.context.conn
        effect = Effect(EffectKind.UNKNOWN) if statement.may_commit else effect_of(statement.sql)
        noted = note_before(conn, effect)
        entry = replace(entry, noted=noted)
        self._write(replace(entry, done=False))
        # A concurrent build waits for old transactions without anyone queuing behind it; a
        # lock_timeout would only fail it and leave an invalid index.
        unhurried = statement.forbids_transaction is not None
        try:
            self._patiently(lambda: run_statement(conn, statement, without_lock_timeout=unhurried))
        except StatementFailed as failure:
            raise self._diagnosed(failure, self._clean_up(entry, effect)) from None
        if invalid := invalid_indexes(conn, effect, noted):
            self._forget(entry)
            raise self._left_invalid(statement, invalid)
        self._write(entry)

    def _clean_up(self, entry: Entry, effect: Effect) -> Aftermath:
        """Take away what a failed statement left, if that is quick; else the next run does."""
        conn = self.context.conn
        if conn.closed or conn.broken:
            return Aftermath(in_doubt=effect.kind is EffectKind.UNKNOWN)
        verdict: Verdict = judge(conn, effect, entry.noted)
        if verdict.took_effect is None:
            # It failed as a whole, unless it commits by itself.
            in_doubt = self._statement(entry).may_commit
            if not in_doubt:
                self._forget(entry)
            return Aftermath(in_doubt=in_doubt)
        problems = [self._repair(repair) for repair in verdict.repairs]
        if any(problems):
            return Aftermath(left=verdict.invalid)
        self._forget(entry)
        return Aftermath(cleaned=verdict.invalid)

    def _repair(self, sql: str) -> str | None:
        """Run a repair; returns what is wrong when it fails."""
        import psycopg

        conn = self.context.conn
        before = conn.execute(
            "SELECT pg_catalog.current_setting('lock_timeout'), "
            "pg_catalog.current_setting('statement_timeout')"
        ).fetchone()
        conn.execute(_SET_TIMEOUTS, ("0", f"{_REPAIR_SECONDS}s"))
        try:
            conn.execute(sql.encode())
        except psycopg.Error as error:
            roll_back(conn)
            return error.diag.message_primary or str(error)
        finally:
            if not conn.closed:
                conn.execute(_SET_TIMEOUTS, before)
        return None

    def _repeat_settings(self, batch: Batch) -> None:
        """What a batch that is over had set for the rest of the script is set again."""
        for statement in batch.statements:
            if statement.sets_session:
                try:
                    run_statement(self.context.conn, statement)
                except StatementFailed as failure:
                    raise self._diagnosed(failure) from None

    def _patiently(self, work: Callable[[], object]) -> None:
        run = self.context
        patiently(work, run.conn, self.step, run.limits, run.observer)

    def _key(self) -> tuple[str, str]:
        return self.step.migration.version, self.step.direction.value

    def _sql_of(self, entry: Entry) -> str:
        """What an entry is about: the file's, with its values, unless it has changed since."""
        batch = self.batches[entry.batch] if entry.batch < len(self.batches) else None
        unchanged = batch is not None and batch_checksum(batch) == entry.checksum
        return batch.statements[0].sql if batch and unchanged else entry.sql

    def _statement(self, entry: Entry) -> Statement:
        return self.batches[entry.batch].statements[0]

    def _writing(self, entry: Entry) -> Query:
        return self.context.journal.write(entry, self.context.conn.info.dbname)

    def _write(self, entry: Entry) -> None:
        self._in_its_own_transaction(self._writing(entry))

    def _forget(self, entry: Entry) -> None:
        forget = self.context.journal.forget(entry.version, entry.direction, entry.batch)
        self._in_its_own_transaction(forget)

    def _in_its_own_transaction(self, query: Query) -> None:
        conn = self.context.conn
        try:
            run_transaction(conn, Batch(()), Record((query,), lasting=False))
        except StatementFailed as failure:
            roll_back(conn)
            raise self._diagnosed(failure) from None

    def _diagnosed(self, failure: StatementFailed, aftermath: Aftermath | None = None) -> Exception:
        return diagnose(failure, self.context.conn, self.step, self.committed, aftermath)

    def _left_invalid(self, statement: Statement, invalid: tuple[str, ...]) -> ApplyError:
        names = ", ".join(invalid)
        return ApplyError(
            f"Index {names} was there before, and is invalid; IF NOT EXISTS left it as it is.",
            version=self.step.migration.version,
            file=statement.file or self.step.script.path,
            line=statement.line,
            statement=statement.number,
            excerpt=statement.excerpt,
            next_step="".join(f"DROP INDEX CONCURRENTLY {name}; " for name in invalid)
            + "Then run again: it goes on with this statement.",
        )

    def _changed(self, entry: Entry) -> UnresolvedError:
        label = self.step.migration.label
        way = "applied" if self.step.direction is Direction.UP else "rolled back"
        return UnresolvedError(
            f"{label} was stopped half way, and its file has changed since in what is already "
            f"committed: statement {entry.statement} was {_first_line(entry.sql)!r}.",
            version=entry.version,
            file=self.step.script.path,
            statement=entry.statement,
            next_step="Restore the file and run again; change only what comes after. Or take "
            f"care of the rest by hand, and say how {label} stands:\n"
            f"  confiture-flows resolve {entry.version} --all --applied      it is wholly {way}\n"
            f"  confiture-flows resolve {entry.version} --all --not-applied  nothing of it is, it "
            "starts anew",
        )

    def _in_doubt(self, entry: Entry) -> UnresolvedError:
        when = f" at {entry.started_at:%Y-%m-%d %H:%M:%S}" if entry.started_at else ""
        batch = self.batches[entry.batch] if entry.batch < len(self.batches) else None
        return UnresolvedError(
            f"{self.step.migration.label} was stopped{when} in statement {entry.statement}, and "
            "nobody can tell whether that took effect.",
            version=entry.version,
            file=self.step.script.path,
            line=batch.statements[0].line if batch else None,
            statement=entry.statement,
            excerpt=_first_line(entry.sql),
            next_step=resolve_choices(entry.version),
        )


def _first_line(sql: str) -> str:
    return sql.partition("\n")[0][:100]
