"""dry_run(conn, plan) -> DryRunReport: the only entry.

Only reads the target, unless it is asked to go there too (`on="target"`); nothing of the plan is
ever committed there.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from confiture_flows.dryrun.estimate import with_estimates
from confiture_flows.dryrun.findings import findings_of
from confiture_flows.dryrun.impact import sessions_in_the_way, static_impact
from confiture_flows.dryrun.on_target import DEFAULT_BUDGET, rehearse_on_target
from confiture_flows.dryrun.rehearsal import Rehearsal, rehearse
from confiture_flows.dryrun.replica import fill
from confiture_flows.dryrun.report import Depth, DryRunReport, MigrationImpact, TableSize
from confiture_flows.dryrun.sizes import foreign_keys_of, tables_of
from confiture_flows.errors import ApplyError, RehearsalError
from confiture_flows.migrations.replay import Watch, unwatched
from confiture_flows.migrations.validate import stop_at_gate
from confiture_flows.postgres.likeness import read_likeness
from confiture_flows.postgres.scratch import ScratchUnavailable, scratch_database
from confiture_flows.target import connect

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.migrations.plan import Plan
    from confiture_flows.postgres.likeness import Likeness
    from confiture_flows.report.finding import Severity
    from confiture_flows.target import Target

DEFAULT_ROWS = 20_000
_MISSING_PARENT = "23503"  # a foreign key whose other side was not sampled


@dataclass(frozen=True, slots=True)
class _Dry:
    """A dry run's surroundings."""

    conn: Connection
    plan: Plan
    target: Target
    rows: int | None
    prove: bool
    watch: Watch


@dataclass(slots=True)
class _Found:
    """What it has found so far."""

    migrations: tuple[MigrationImpact, ...] = ()
    tables: tuple[TableSize, ...] = ()
    rehearsal: Rehearsal | None = None
    place: str = ""
    unknown: list[str] = field(default_factory=list)


def dry_run(
    conn: Connection,
    plan: Plan,
    *,
    target: Target,
    on: Depth | str = Depth.SCRATCH,
    rows: int | None = None,
    prove: bool = True,
    budget: float = DEFAULT_BUDGET,
    watch: Watch = unwatched,
) -> DryRunReport:
    """See what a plan would do.

    Args:
        conn: The target; in autocommit. Only read.
        plan: From `plan_forward` or `plan_back`.
        target: Where `conn` leads; its `scratch` says on which server to rehearse.
        on: How far to go. "static" executes nothing; "scratch" executes the plan in a scratch
            database; "target" then also on the target, in a transaction that is rolled back.
        rows: How many rows of each table that the plan touches are copied at most. When not
            said, 20,000 into a server of our own, and none to a server that the target names.
        prove: Whether catalogs are compared and the ways back are gone.
        budget: Seconds for which locks may be held on the target, all in all.
        watch: Watches each connection that statements run on.

    Raises:
        LedgerError, TargetError, LockError: The target cannot be read.
        ConfigError: The scratch server's connection string cannot be read.
    """
    started = time.monotonic()
    depth = Depth(on)
    dry = _Dry(conn, plan, target, rows, prove, watch)
    tables, unknown = tables_of(conn, plan.steps)
    found = _Found(tables=tables, unknown=[*unknown])
    if depth is Depth.STATIC:
        found.migrations = static_impact(conn, plan)
        found.unknown.append("Nothing was executed: what functions and DO blocks do is not known.")
    elif plan.steps:
        _rehearse(dry, found)
    seen = None
    if depth is Depth.TARGET and plan.steps:
        seen = rehearse_on_target(plan, target, budget=budget, watch=watch)
    report = DryRunReport(
        target=target.name,
        direction=plan.direction,
        depth=depth,
        server=f"PostgreSQL {conn.info.parameter_status('server_version')}",
        place=found.place,
        migrations=found.migrations,
        rollback=found.rehearsal.rollback if found.rehearsal else None,
        tables=found.tables,
        sessions=sessions_in_the_way(conn, found.migrations),
        on_target=seen,
        unknown=tuple(found.unknown),
        elapsed=time.monotonic() - started,
    )
    return replace(report, findings=findings_of(report))


def stop_if_unsafe(report: DryRunReport, gate: Severity) -> None:
    """Raise what a report says, if it says that the plan should not run.

    Raises:
        RehearsalError: The plan would fail.
        GateError: There are findings at or above the gate.
    """
    error = report.error
    if error is not None:
        raise RehearsalError(
            f"The plan would fail: {error.message}",
            next_step=error.next_step,
            version=error.version,
            file=error.file,
            line=error.line,
            statement=error.statement,
            sqlstate=error.sqlstate,
            excerpt=error.excerpt,
        )
    stop_at_gate(report.findings, gate)


def _rehearse(dry: _Dry, found: _Found) -> None:
    likeness = read_likeness(dry.conn)
    rows = dry.rows
    if rows is None:
        # Rows of the target do not leave for a server that others may look into, unless asked.
        rows = DEFAULT_ROWS if dry.target.scratch is None else 0
    try:
        rehearsed = _in_scratch(dry, found, likeness, rows)
        if rows and _lacks_parents(rehearsed):
            found.unknown.append(
                "A foreign key met rows whose other side is not in the sample; it was rehearsed "
                "without rows, so that nothing is known of times."
            )
            rehearsed = _in_scratch(dry, found, likeness, 0)
    except ScratchUnavailable as unavailable:
        found.migrations = static_impact(dry.conn, dry.plan)
        said = f"It was not rehearsed. {unavailable.reason}"
        found.unknown.append(f"{said} {unavailable.next_step}" if unavailable.next_step else said)
        return
    by_name = {table.name: table for table in found.tables}
    found.migrations = tuple(with_estimates(each, by_name) for each in rehearsed.migrations)
    found.rehearsal = rehearsed
    if not rehearsed.exact:
        found.unknown.append(
            "Some catalog changes were not seen when they happened; which migration made them is "
            "unknown."
        )


def _in_scratch(dry: _Dry, found: _Found, likeness: Likeness, rows: int) -> Rehearsal:
    target = dry.target
    with scratch_database(likeness, target.scratch) as place:
        keys = foreign_keys_of(dry.plan.steps)
        filled = fill(dry.conn, target, place, likeness, found.tables, rows, keys)
        found.tables, found.place = filled.tables, place.place
        found.unknown += [each for each in filled.unknown if each not in found.unknown]
        scratch = place.target(likeness.user)
        with connect(scratch, "dry run") as conn, dry.watch(conn) as observer:
            return rehearse(
                conn,
                dry.plan,
                ledger=target.ledger,
                limits=target.limits,
                private=place.private,
                tables=filled.tables,
                prove=dry.prove,
                observer=observer,
            )


def _lacks_parents(rehearsed: Rehearsal) -> bool:
    errors = (each.error for each in rehearsed.migrations)
    return any(isinstance(e, ApplyError) and e.sqlstate == _MISSING_PARENT for e in errors)
