"""A script that is not one transaction -> run batch by batch, with a journal, and resumed.

A batch in a transaction commits with its journal entry. A statement that PostgreSQL refuses
in a transaction is journalled before and after; stopped in between, it is recognised by
what it changed in the catalog, and where nobody can tell, a person is asked.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from confiture_flows.errors import ApplyError
from confiture_flows.migrations.checksum import file_checksum
from confiture_flows.migrations.diagnosis import (
    LOCK_NOT_AVAILABLE,
    Aftermath,
    diagnose,
)
from confiture_flows.migrations.durability import wait_for_the_disk
from confiture_flows.migrations.execution import finish_step
from confiture_flows.migrations.half_done import (
    changed_error,
    first_line,
    in_doubt_error,
    left_invalid_error,
)
from confiture_flows.migrations.journal import (
    Entry,
    batch_checksum,
    create_journal,
    excerpt_for_journal,
)
from confiture_flows.migrations.patience import patiently, roll_back
from confiture_flows.migrations.recognition import Verdict, invalid_indexes, judge, note_before
from confiture_flows.migrations.send import StatementFailed, run_statement
from confiture_flows.migrations.transaction import Record, run_transaction
from confiture_flows.sql.effects import Effect, EffectKind, effect_of
from confiture_flows.sql.script import Batch
from confiture_flows.sql.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_flows.migrations.execution import Run
    from confiture_flows.migrations.ledger import LedgerRow
    from confiture_flows.migrations.plan import Step
    from confiture_flows.migrations.transaction import Query

_IN_A_TRANSACTION = "25001"
_SET_TIMEOUTS = (
    "SELECT pg_catalog.set_config('lock_timeout', %s, false), "
    "pg_catalog.set_config('statement_timeout', %s, false)"
)
_REPAIR_QUEUES_MS = 300  # below deadlock_timeout
_REPAIR_SECONDS = 10  # to take away what a failed statement left; the next run tries again


def run_batchwise(run: Run, step: Step, batches: tuple[Batch, ...]) -> LedgerRow:
    """Run what is not done yet of a script, and write or erase its ledger row.

    Raises:
        ConfitureFlowsError: See `execute_step`.
    """
    return _Script(run, step, batches).run()


def leave_in_doubt(run: Run, step: Step, batch: Batch) -> Aftermath:
    """Write down that a function ended its transaction: only a person can tell what it has done."""
    run.journal = create_journal(run.conn, run.journal)
    script = _Script(run, step, (batch,))
    script.write_begun(0, batch)
    return Aftermath(in_doubt=True)


@dataclass(slots=True)
class _Script:
    """A script on its way.

    Attributes:
        committed: How many of its statements are committed for good.
        file_checksum: Of the file as the run found it.
    """

    context: Run
    step: Step
    batches: tuple[Batch, ...]
    committed: int = 0
    file_checksum: str = ""

    def run(self) -> LedgerRow:
        started = time.monotonic()
        self.file_checksum = file_checksum(self.step.script.path)
        # What happens outside transactions may last at once; so must what is written about it.
        wait_for_the_disk(self.context.conn)
        self.context.journal = create_journal(self.context.conn, self.context.journal)
        self._open_ledger_row()
        done = self._resume()
        left = list(enumerate(self.batches))[done:]
        last = Batch(())  # a transaction of its own for the ledger row, unless the script's last is
        if left and left[-1][1].transactional and left[-1][1].keep:
            last = left.pop()[1]
        for number, batch in left:
            self.context.observer.tick()
            self._run_batch(number, batch)
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
            batch = self._matching(entry)
            if batch is None:
                raise changed_error(self.step, entry)
            over = number + 1
            self.committed += entry.statements
            self._repeat_settings(batch)
        if over < len(self.batches) and self.batches[over].parts:
            self.context.observer.resumed(self.step, self.batches[over].first)
        return over

    def _settle(self, entry: Entry) -> bool:
        """Whether a statement that an earlier run was stopped in took effect."""
        verdict = judge(self.context.conn, effect_of(self._sql_of(entry)), entry.noted)
        if verdict.took_effect is None:
            raise in_doubt_error(self.step, entry, self._line(entry))
        for repair in verdict.repairs:
            if problem := self._repair(repair):
                raise ApplyError(
                    f"{self.step.migration.label} was stopped in statement {entry.statement}, and "
                    f"what it left half done cannot be mended: {problem}",
                    version=entry.version,
                    file=self.step.script.path,
                    statement=entry.statement,
                    excerpt=first_line(entry.sql),
                    next_step=f"Try it by hand: {repair}; Then run again.",
                )
        if verdict.took_effect:
            self._write(replace(entry, done=True))
        else:
            self._forget(entry)
        return verdict.took_effect

    def write_begun(self, number: int, batch: Batch) -> None:
        """Write that a batch was begun, and nothing of its end."""
        self._write(replace(self._entry(number, batch), done=False))

    def _entry(self, number: int, batch: Batch) -> Entry:
        first = batch.first
        return Entry(
            *self._key(),
            batch=number,
            statement=first.number,
            statements=batch.count,
            sql=excerpt_for_journal(batch),
            checksum=batch_checksum(batch),
            file_checksum=self.file_checksum,
            done=True,
            run=self.context.name,
        )

    def _run_batch(self, number: int, batch: Batch) -> None:
        entry = self._entry(number, batch)
        first = batch.first
        # PostgreSQL 12 and later let an enum value be added in a transaction of its own.
        alone = not batch.transactional and first.enum_value is None
        if alone and (first.may_commit or first.forbids_transaction):
            self._run_alone(entry, first)
            return
        record = Record((self._writing(entry),), lasting=False) if batch.keep else Record()
        try:
            tell = partial(self.context.observer.sent, self.step)
            send = self.context.sending.transaction or run_transaction
            self._patiently(lambda: send(self.context.conn, batch, record, tell=tell))
        except StatementFailed as failure:
            if alone and failure.error.sqlstate == _IN_A_TRANSACTION:
                self._run_alone(entry, first)
                return
            raise self._diagnosed(failure) from None
        self.committed += batch.count if batch.keep else 0

    def _run_alone(self, entry: Entry, statement: Statement) -> None:
        """Run a statement outside transactions, with an entry before and after it."""
        conn = self.context.conn
        effect = Effect(EffectKind.UNKNOWN) if statement.may_commit else effect_of(statement.sql)
        noted = note_before(conn, effect)
        entry = replace(entry, noted=noted)
        self._write(replace(entry, done=False))
        # A concurrent build waits for old transactions without anyone queuing behind it; a
        # lock_timeout would only fail it and leave an invalid index.
        unhurried = "CONCURRENTLY" in (statement.forbids_transaction or "")
        send = self.context.sending.alone or run_statement
        try:
            self._patiently(
                lambda: send(conn, statement, without_lock_timeout=unhurried),
                unhurried=unhurried,
            )
        except StatementFailed as failure:
            raise self._diagnosed(failure, self._clean_up(entry, effect, failure)) from None
        if invalid := invalid_indexes(conn, effect, noted):
            self._forget(entry)
            raise left_invalid_error(self.step, statement, invalid, self.committed)
        self.committed += 1
        self._write(entry, Aftermath(in_doubt=effect.kind is EffectKind.UNKNOWN))

    def _clean_up(self, entry: Entry, effect: Effect, failure: StatementFailed) -> Aftermath:
        """Take away what a failed statement left, if that is quick; else the next run does."""
        conn = self.context.conn
        if conn.closed or conn.broken:
            return Aftermath(in_doubt=effect.kind is EffectKind.UNKNOWN)
        verdict: Verdict = judge(conn, effect, entry.noted)
        if verdict.took_effect is None:
            # It failed as a whole, unless it commits by itself.
            may_commit = effect.kind is EffectKind.BUILDS_INDEX or self._statement(entry).may_commit
            in_doubt = may_commit and not _was_refused(failure)
            if not in_doubt:
                self._forget(entry)
            return Aftermath(in_doubt=in_doubt)
        problems = [self._repair(repair) for repair in verdict.repairs]
        if any(problems):
            return Aftermath(left=verdict.invalid)
        if verdict.took_effect:
            self._write(entry)
            return Aftermath(finished=True)
        self._forget(entry)
        return Aftermath(cleaned=verdict.invalid)

    def _repair(self, sql: str) -> str | None:
        """Run a repair; returns what is wrong when it fails.

        It never queues for long: others would queue behind it, and a concurrent build of
        another session that waits for us would be ended as a deadlock.
        """
        import psycopg

        conn = self.context.conn
        before = conn.execute(
            "SELECT pg_catalog.current_setting('lock_timeout'), "
            "pg_catalog.current_setting('statement_timeout')"
        ).fetchone()
        conn.execute(_SET_TIMEOUTS, (f"{_REPAIR_QUEUES_MS}ms", f"{_REPAIR_SECONDS}s"))
        until = time.monotonic() + _REPAIR_SECONDS
        try:
            while True:
                try:
                    conn.execute(sql.encode())
                except psycopg.Error as error:
                    roll_back(conn)
                    if error.sqlstate != LOCK_NOT_AVAILABLE or time.monotonic() > until:
                        return error.diag.message_primary or str(error)
                    self.context.observer.tick()
                    time.sleep(_REPAIR_QUEUES_MS / 1000)
                else:
                    return None
        finally:
            if not (conn.closed or conn.broken):
                conn.execute(_SET_TIMEOUTS, before)

    def _repeat_settings(self, batch: Batch) -> None:
        """What a batch that is over had set for the rest of the script is set again."""
        for part in batch.parts:
            for statement in part.statements() if part.sets_session else ():
                try:
                    run_statement(self.context.conn, statement)
                except StatementFailed as failure:
                    raise self._diagnosed(failure) from None

    def _patiently(self, work: Callable[[], object], *, unhurried: bool = False) -> None:
        run = self.context
        patiently(
            work, lambda: self.step, run.limits, run.observer, run.lookout, unhurried=unhurried
        )

    def _key(self) -> tuple[str, str]:
        return self.step.migration.version, self.step.direction.value

    def _sql_of(self, entry: Entry) -> str:
        """What an entry is about: the file's, with its values, unless it has changed since."""
        batch = self.batches[entry.batch] if entry.batch < len(self.batches) else None
        unchanged = batch is not None and batch_checksum(batch) == entry.checksum
        return batch.first.sql if batch and unchanged else entry.sql

    def _line(self, entry: Entry) -> int | None:
        batch = self.batches[entry.batch] if entry.batch < len(self.batches) else None
        return batch.first.line if batch else None

    def _statement(self, entry: Entry) -> Statement:
        return self.batches[entry.batch].first

    def _writing(self, entry: Entry) -> Query:
        return self.context.journal.write(entry, self.context.conn.info.dbname)

    def _matching(self, entry: Entry) -> Batch | None:
        """The batch that an entry is about, if the file still has it.

        The first statements of a transaction stay what they were when others are added behind
        them, to mend what failed after it; the batch is split there.
        """
        batch = self.batches[entry.batch] if entry.batch < len(self.batches) else None
        if batch is None or batch_checksum(batch) == entry.checksum:
            return batch
        if not all(isinstance(part, Statement) for part in batch.parts):
            return None  # a large file, whose statements are not held
        head = replace(batch, parts=batch.parts[: entry.statements])
        tail = replace(batch, parts=batch.parts[entry.statements :])
        if not tail.parts or batch_checksum(head) != entry.checksum:
            return None
        at = entry.batch
        self.batches = (*self.batches[:at], head, tail, *self.batches[at + 1 :])
        return head

    def _open_ledger_row(self) -> None:
        """Half done, a repeatable migration is no longer what its ledger row says."""
        migration = self.step.migration
        if migration.repeatable:
            query = self.context.ledger.query("open", self.context.conn.info.dbname)
            self._in_its_own_transaction((query, {"version": migration.version}))

    def _write(self, entry: Entry, aftermath: Aftermath | None = None) -> None:
        self._in_its_own_transaction(self._writing(entry), aftermath)

    def _forget(self, entry: Entry) -> None:
        forget = self.context.journal.forget(entry.version, entry.direction, entry.batch)
        self._in_its_own_transaction(forget)

    def _in_its_own_transaction(self, query: Query, aftermath: Aftermath | None = None) -> None:
        conn = self.context.conn
        try:
            run_transaction(conn, Batch(()), Record((query,), lasting=False))
        except StatementFailed as failure:
            roll_back(conn)
            raise self._diagnosed(failure, aftermath) from None

    def _diagnosed(self, failure: StatementFailed, aftermath: Aftermath | None = None) -> Exception:
        return diagnose(failure, self.context.conn, self.step, self.committed, aftermath)


def _was_refused(failure: StatementFailed) -> bool:
    """Whether the server refused a statement before any of it ran."""
    error = failure.error
    return (error.sqlstate or "").startswith("42") and error.diag.context is None
