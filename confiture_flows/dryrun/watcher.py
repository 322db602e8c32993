"""Batches and statements on their way to the server -> StatementImpact, one a statement.

`Watcher.sending` takes the place of the engine's own: the same functions send the same statements,
with a reading between. What a statement does outside transactions is told by the relations before
and after it, and its locks by what PostgreSQL documents, since they are gone when it is over.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from confiture_flows.dryrun import probe
from confiture_flows.dryrun.known import documented_work
from confiture_flows.dryrun.probe import LockReading, Relation, RowWork
from confiture_flows.dryrun.report import LockTaken, StatementImpact
from confiture_flows.migrations.execution import Sending
from confiture_flows.migrations.python_script import FunctionCall
from confiture_flows.migrations.send import run_statement
from confiture_flows.migrations.transaction import NOTHING, Record, run_transaction
from confiture_flows.sql.statements import Statement

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.pq.abc import PGresult

    from confiture_flows.sql.script import Batch, Part

# They forget what is prepared.
_FORGETTING = frozenset({"deallocate_stmt", "discard_stmt"})
_FULL_SCAN_KINDS = frozenset({"table", "materialized view"})


@dataclass(slots=True)
class Watcher:
    """Looks at one session.

    Attributes:
        known: The relations of the database, as far as they are known.
        found: What the statements of the current migration have done so far.
        touched: The numbers of the relations that they locked or made.
        names: The names of those that were there before.
    """

    known: dict[int, Relation] = field(default_factory=dict)
    found: list[StatementImpact] = field(default_factory=list)
    touched: frozenset[int] = frozenset()
    names: frozenset[str] = frozenset()
    _existed: dict[int, Relation] = field(default_factory=dict)
    _newest: int = 0

    @property
    def sending(self) -> Sending:
        """To be put into a `Run`."""
        return Sending(self.transaction, self.alone)

    def attach(self, conn: Connection) -> None:
        """Prepare the session, and learn what there is."""
        conn.execute(probe.PREPARE)
        self.known = probe.relations(conn)

    def begin(self) -> None:
        """A migration begins: what is there now was there before it."""
        self.found = []
        self.touched, self.names = frozenset(), frozenset()
        self._existed = dict(self.known)
        self._newest = max(self.known, default=0)

    def transaction(
        self,
        conn: Connection,
        batch: Batch,
        record: Record = NOTHING,
        after: tuple[str, ...] = (),
        tell: Any = None,
        **more: Any,
    ) -> tuple[Any, ...] | None:
        """Send a batch with readings; takes and returns what `run_transaction` does."""
        readings: list[LockReading] = []

        def hear(result: PGresult) -> None:
            if probe.is_reading(result):
                readings.append(probe.read(result))

        watched, sent = self._with_probes(conn, batch)
        if isinstance(sent[0] if sent else None, FunctionCall):
            readings.append(probe.probe(conn))
            record = Record(((_query(), {}), *record.queries), record.lasting)
        row = run_transaction(
            conn, watched, record, after, *([tell] if tell else []), hear=hear, **more
        )
        ended = time.time()
        self._learn(sent, readings, ended)
        return row

    def alone(
        self, conn: Connection, statement: Statement, *, without_lock_timeout: bool = False
    ) -> None:
        """Send a statement outside transactions; takes what `run_statement` does."""
        before = probe.probe(conn)
        started = time.monotonic()
        run_statement(conn, statement, without_lock_timeout=without_lock_timeout)
        seconds = time.monotonic() - started
        if statement.kind in _FORGETTING:
            conn.execute(probe.PREPARE)
        wal = probe.probe(conn).wal - before.wal
        now = probe.relations(conn)
        impact = documented_work(statement, self._existed)
        rewritten = _rewritten(self.known, now)
        self.known = now
        self.found.append(
            replace(
                impact,
                seconds=seconds,
                wal_bytes=wal,
                locks=tuple(replace(lock, held_seconds=seconds) for lock in impact.locks),
                rewrites=rewritten[0],
                indexes=rewritten[1],
            )
        )

    def touching(self, reading: LockReading) -> tuple[frozenset[int], frozenset[str]]:
        """The relations that a session holds, or their tables; and the names they had before.

        Args:
            reading: The last one of a transaction.
        """
        there = self.known | reading.relations
        numbers = {oid for oid, _ in reading.held}
        numbers |= {there[oid].table or oid for oid in numbers if oid in there}
        names = frozenset(self._existed[oid].name for oid in numbers if oid in self._existed)
        names |= frozenset(there[oid].name for oid in numbers if oid in there)
        return frozenset(numbers), names

    def _with_probes(self, conn: Connection, batch: Batch) -> tuple[Batch, tuple[Part, ...]]:
        """The batch with a reading before, between and after its parts, and the parts."""
        parts = batch.parts
        if not parts or isinstance(parts[0], FunctionCall):
            return batch, parts
        look = Statement(0, 0, probe.execute(self._newest), "execute_stmt")
        # SET TRANSACTION has to come before any query.
        quiet = 0
        while quiet < len(parts) and parts[quiet].kind == "variable_set_stmt":
            quiet += 1
        mixed: list[Part] = [*parts[:quiet], look]
        for part in parts[quiet:]:
            mixed.append(part)
            if part.kind in _FORGETTING:
                mixed.append(Statement(0, 0, probe.PREPARE, "prepare_stmt"))
            mixed.append(look)
        mixed[-1] = Statement(0, 0, probe.EXECUTE, "execute_stmt")
        return replace(batch, parts=tuple(mixed)), parts[quiet:]

    def _learn(self, parts: tuple[Part, ...], readings: list[LockReading], ended: float) -> None:
        for part, before, after in zip(parts, readings, readings[1:], strict=False):
            statement = part.statements()[0] if part.count == 1 else None
            impact = self._difference(before, after, max(ended - before.ended, 0.0))
            self.known |= after.relations
            if statement is None:
                first = part.statements()[0]
                note = f"and {part.count - 1} more statements of a large file"
                impact = replace(_named(impact, first), note=note)
            else:
                impact = _named(impact, statement)
            self.found.append(impact)
        if readings:
            touched, names = self.touching(readings[-1])
            self.touched, self.names = self.touched | touched, self.names | names
            gone = {oid for oid, _ in readings[-1].held} - readings[-1].relations.keys()
            for oid in gone:
                self.known.pop(oid, None)

    def _difference(self, before: LockReading, after: LockReading, held: float) -> StatementImpact:
        names = self._existed | self.known | after.relations
        locks = tuple(
            LockTaken(mode, names[oid].name, names[oid].kind, oid in self._existed, True, held)
            for oid, mode in sorted(after.held - before.held)
            # What the migration itself has made is locked to nobody's harm.
            if oid in names and (oid in self._existed or names[oid].table in self._existed)
        )
        known = self.known | before.relations
        rewrites, indexes = _rewritten(known, after.relations, self._existed)
        work = {
            oid: now.since(before.work.get(oid, RowWork()))
            for oid, now in after.work.items()
            if oid in self._existed
        }
        scans = tuple(
            names[oid].name
            for oid, done in work.items()
            if done.scans and names[oid].kind in _FULL_SCAN_KINDS
        )
        return StatementImpact(
            0,
            0,
            None,
            "",
            "",
            seconds=max(after.began - before.ended, 0.0),
            wal_bytes=after.wal - before.wal,
            locks=locks,
            rewrites=rewrites,
            indexes=indexes,
            scans=scans,
            inserted=sum(done.inserted for done in work.values()),
            updated=sum(done.updated for done in work.values()),
            deleted=sum(done.deleted for done in work.values()),
        )


def _named(impact: StatementImpact, statement: Statement) -> StatementImpact:
    return replace(
        impact,
        number=statement.number,
        line=statement.line,
        file=statement.file,
        excerpt=statement.excerpt,
        kind=statement.kind,
    )


def _rewritten(
    before: dict[int, Relation],
    after: dict[int, Relation],
    existed: dict[int, Relation] | None = None,
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Tables with a new file, and indexes that are new or have one, on tables that were there."""
    there = before if existed is None else existed
    tables: list[str] = []
    indexes: list[tuple[str, str]] = []
    for oid, relation in after.items():
        was = before.get(oid)
        if was is not None and was.filenode == relation.filenode:
            continue
        if relation.kind == "index" and relation.table in there:
            indexes.append((relation.name, there[relation.table].name))
        elif was is not None and oid in there and relation.kind in _FULL_SCAN_KINDS:
            tables.append(relation.name)
    return tuple(tables), tuple(indexes)


def _query() -> Any:
    from psycopg import sql

    return sql.Composed([sql.SQL(probe.EXECUTE)])
