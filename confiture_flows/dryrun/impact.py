"""A plan -> MigrationImpacts by its words alone, and who is in its way now. Executes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.dryrun import probe
from confiture_flows.dryrun.known import documented_work
from confiture_flows.dryrun.report import InTheWay, MigrationImpact, StatementImpact
from confiture_flows.errors import MigrationFileError
from confiture_flows.migrations.blockers import blocker_of
from confiture_flows.sql.operation import CreateTable
from confiture_flows.sql.operations import operations_of
from confiture_flows.sql.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psycopg import Connection

    from confiture_flows.migrations.plan import Plan
    from confiture_flows.sql.parts import LockMode

_HOLDERS = """
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), l.mode,
    extract(epoch FROM clock_timestamp() - a.xact_start)::float8,
    a.pid, a.application_name, a.usename, a.client_addr::text, a.xact_start, a.state, a.query,
    a.backend_type
FROM pg_catalog.pg_locks AS l
JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
WHERE l.granted AND l.locktype = 'relation' AND l.pid <> pg_catalog.pg_backend_pid()
    AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
    AND quote_ident(n.nspname) || '.' || quote_ident(c.relname) = ANY (%s)
ORDER BY a.xact_start NULLS LAST, a.pid, 1
"""
# Source: PostgreSQL docs, Explicit Locking. By strength: each row is a mode, each digit another.
_CONFLICTS = {
    1: "8",
    2: "78",
    3: "5678",
    4: "45678",
    5: "34678",
    6: "345678",
    7: "2345678",
    8: "12345678",
}


def conflicts(mode: LockMode, other: LockMode) -> bool:
    """Whether one who asks for a mode waits for one who holds the other."""
    return str(other.strength) in _CONFLICTS[mode.strength]


def static_impact(conn: Connection, plan: Plan) -> tuple[MigrationImpact, ...]:
    """What PostgreSQL is known to do for the statements of a plan.

    Args:
        conn: The target; only its catalog is read.
        plan: What would run.
    """
    relations = probe.relations(conn)
    made: set[str] = set()
    found: list[MigrationImpact] = []
    for step in plan.steps:
        migration = step.migration
        statements: list[StatementImpact] = []
        error = None
        try:
            parts = [part for batch in step.script.batches() for part in batch.parts]
        except MigrationFileError as raised:
            parts, error = [], raised
        for part in parts:
            if not isinstance(part, Statement):
                continue
            statements.append(documented_work(part, relations, frozenset(made)))
            for operation in operations_of(part.sql):
                if isinstance(operation, CreateTable):
                    table = operation.table
                    made |= {str(table), f"{table.schema or 'public'}.{table.name}"}
        found.append(
            MigrationImpact(
                migration.version,
                migration.label,
                step.script.path,
                tuple(statements),
                error=error,
            )
        )
    return tuple(found)


def sessions_in_the_way(
    conn: Connection, migrations: Iterable[MigrationImpact]
) -> tuple[InTheWay, ...]:
    """Who holds, on the target and now, what a lock of the plan would wait for."""
    wanted: dict[str, list[LockMode]] = {}
    for migration in migrations:
        for name, mode in migration.table_locks:
            wanted.setdefault(name, []).append(mode)
    if not wanted:
        return ()
    found: dict[tuple[str, int], InTheWay] = {}
    for name, held, seconds, *who in conn.execute(_HOLDERS, (sorted(wanted),), binary=True):
        holds = probe.MODES[held]
        waiting = [mode for mode in wanted[name] if conflicts(mode, holds)]
        if waiting:
            blocker = blocker_of(tuple(who))
            mode = max(waiting, key=lambda each: each.strength)
            found.setdefault((name, blocker.pid), InTheWay(name, mode, holds, blocker, seconds))
    return tuple(found.values())
