"""DryRunReport: what a dry run found. Pure values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_flows.catalog.diff import Change
    from confiture_flows.errors import ConfitureFlowsError
    from confiture_flows.migrations.blockers import Blocker
    from confiture_flows.migrations.plan import Direction
    from confiture_flows.report.finding import Finding
    from confiture_flows.sql.parts import LockMode


class Depth(StrEnum):
    """How far a dry run goes; each includes the ones before."""

    STATIC = "static"
    SCRATCH = "scratch"
    TARGET = "target"


class RollbackVerdict(StrEnum):
    """What a rollback simulation proved."""

    PROVEN = "proven"
    COLUMN_ORDER = "column order only"
    DIFFERS = "differs"
    FAILS = "fails"
    NO_DOWN = "no down"


@dataclass(frozen=True, slots=True)
class TableSize:
    """How large a table of the target is.

    Attributes:
        name: Qualified and quoted where SQL needs it.
        rows: As the target's statistics estimate them.
        table_bytes: Of the table with what it keeps out of line.
        index_bytes: Of its indexes.
        sampled: How many of its rows the scratch database got; 0 where none were copied.
        dependents: Views that read it, and tables whose foreign keys point to it.
    """

    name: str
    rows: int
    table_bytes: int
    index_bytes: int
    sampled: int = 0
    dependents: tuple[str, ...] = ()

    @property
    def total_bytes(self) -> int:
        """Of all of it."""
        return self.table_bytes + self.index_bytes

    @property
    def scale(self) -> float | None:
        """How many times as many rows the target has; None where no row was there to measure."""
        if self.rows == 0:
            return 1.0
        return self.rows / self.sampled if self.sampled else None


@dataclass(frozen=True, slots=True)
class LockTaken:
    """A lock that a statement takes; its transaction holds it to the end.

    Attributes:
        mode: Its mode.
        relation: What it is on.
        kind: "table", "index", "view", "sequence", ...
        existed: Whether the relation was there before the migration: nobody waits for others.
        seen: Whether it was seen in pg_locks; False is what PostgreSQL documents.
        held_seconds: From the start of its statement to the end of its transaction, here.
    """

    mode: LockMode
    relation: str
    kind: str = "table"
    existed: bool = True
    seen: bool = True
    held_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """How long something takes on the target.

    Attributes:
        low: Seconds; None where it is unknown.
        high: Seconds; None where it is unknown.
        basis: What that rests on, or why it is unknown.
        disk_bytes: More that is needed on disk while it runs, as far as is known.
        wal_bytes: WAL that it writes, as far as is known.
    """

    low: float | None
    high: float | None
    basis: str
    disk_bytes: int | None = None
    wal_bytes: int | None = None

    @property
    def known(self) -> bool:
        """Whether there is a range."""
        return self.high is not None


@dataclass(frozen=True, slots=True)
class StatementImpact:
    """What one statement did, or would do.

    Attributes:
        number: 1-based place in its script.
        line: In its file.
        file: Where it stands.
        excerpt: Its first line, without passwords and values.
        kind: The parser's name for it.
        seconds: How long it took in the scratch database; None where it was not run.
        wal_bytes: WAL that it wrote there.
        locks: Those it took that its transaction did not hold yet.
        rewrites: Tables that were written anew.
        indexes: Indexes that were built or rebuilt on tables that were there, with their tables.
        scans: Tables that were there and were read in whole.
        inserted: Rows.
        updated: Rows.
        deleted: Rows.
        new_bytes: What it has written anew, on disk in the scratch database.
        estimate: For the target; None where nothing was measured.
        note: What else somebody should know.
    """

    number: int
    line: int
    file: Path | None
    excerpt: str
    kind: str
    seconds: float | None = None
    wal_bytes: int = 0
    locks: tuple[LockTaken, ...] = ()
    rewrites: tuple[str, ...] = ()
    indexes: tuple[tuple[str, str], ...] = ()
    scans: tuple[str, ...] = ()
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    new_bytes: int = 0
    estimate: Estimate | None = None
    note: str = ""

    @property
    def worked_on(self) -> tuple[str, ...]:
        """The tables whose size decides how long it takes."""
        found = (*self.rewrites, *(table for _, table in self.indexes), *self.scans)
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class DataLoss:
    """What a way back takes away or does not bring back.

    Attributes:
        name: The column or table.
        what: "dropped" by the way down, "emptied" where the way up drops it and the way down
            only makes it again, "deleted" for rows.
        values: How many values or rows, in the scratch database or by the target's statistics.
    """

    name: str
    what: str
    values: int


@dataclass(frozen=True, slots=True)
class RollbackProof:
    """What came of going up, down, and comparing.

    Attributes:
        verdict: In a word.
        changes: What differs from before, where something does.
        error: Why the way down fails.
        losses: Data that is lost on the way.
        note: How it was proven, where that is not plain.
        version: Of the migration that a whole plan's way back stops at.
    """

    verdict: RollbackVerdict
    changes: tuple[Change, ...] = ()
    error: ConfitureFlowsError | None = None
    losses: tuple[DataLoss, ...] = ()
    note: str = ""
    version: str | None = None


@dataclass(frozen=True, slots=True)
class MigrationImpact:
    """What one migration did, or would do.

    Attributes:
        version: Its identity.
        label: Version and name.
        file: The script.
        statements: In order; those of large files are counted, not listed.
        seconds: How long it took in the scratch database, commit included; None: not run.
        changes: In the catalog; None where nothing compared.
        proof: Of its way back; None where none was asked for.
        error: Why it failed.
        not_run: Why it was not run.
        down: The script of its way back.
    """

    version: str
    label: str
    file: Path
    statements: tuple[StatementImpact, ...] = ()
    seconds: float | None = None
    changes: tuple[Change, ...] | None = None
    proof: RollbackProof | None = None
    error: ConfitureFlowsError | None = None
    not_run: str = ""
    down: Path | None = None

    @property
    def table_locks(self) -> frozenset[tuple[str, LockMode]]:
        """Tables that were there before, and the modes in which they are locked."""
        return frozenset(
            (lock.relation, lock.mode)
            for statement in self.statements
            for lock in statement.locks
            if lock.existed and lock.kind == "table"
        )


@dataclass(frozen=True, slots=True)
class InTheWay:
    """A session on the target that a lock of the plan would wait for, right now.

    Attributes:
        relation: What it holds.
        mode: The strongest mode of the plan that waits for it.
        holds: The mode it holds.
        blocker: Who it is.
        seconds: How long its transaction has run; None where that is hidden.
    """

    relation: str
    mode: LockMode
    holds: LockMode
    blocker: Blocker
    seconds: float | None


@dataclass(frozen=True, slots=True)
class TargetRehearsal:
    """What a rehearsal on the target found; it was rolled back.

    Attributes:
        migrations: Labels of those that ran.
        stopped: Why it went no further; empty when all ran.
        refused: Statements whose effects would survive a rollback, and why, by place.
        seconds: How long its transaction was open.
        survived: Effects that the rollback did not undo.
        error: Why a statement failed.
    """

    migrations: tuple[str, ...] = ()
    stopped: str = ""
    refused: tuple[str, ...] = ()
    seconds: float = 0.0
    survived: tuple[str, ...] = ()
    error: ConfitureFlowsError | None = None


@dataclass(frozen=True, slots=True)
class DryRunReport:
    """What a dry run found.

    Attributes:
        target: Its name.
        direction: Of the plan.
        depth: How far it went.
        server: The target's version, in words.
        place: Where it was rehearsed; empty where it was not.
        migrations: In the plan's order.
        rollback: Of the whole plan; None where it was not simulated.
        tables: Those of the target that the plan touches, the largest first.
        sessions: Who is in its way now.
        on_target: What the target itself said; None where it was not asked.
        findings: What matters most first.
        unknown: What this dry run cannot tell, in sentences.
        elapsed: Seconds.
    """

    target: str
    direction: Direction
    depth: Depth
    server: str
    place: str = ""
    migrations: tuple[MigrationImpact, ...] = ()
    rollback: RollbackProof | None = None
    tables: tuple[TableSize, ...] = ()
    sessions: tuple[InTheWay, ...] = ()
    on_target: TargetRehearsal | None = None
    findings: tuple[Finding, ...] = ()
    unknown: tuple[str, ...] = field(default=())
    elapsed: float = 0.0

    @property
    def error(self) -> ConfitureFlowsError | None:
        """Why the plan would fail, where it would."""
        errors = [migration.error for migration in self.migrations]
        errors += [self.on_target.error] if self.on_target else []
        return next(filter(None, errors), None)

    @property
    def table_locks(self) -> int:
        """How many locks on tables that were there before each migration were seen."""
        return sum(len(migration.table_locks) for migration in self.migrations)
