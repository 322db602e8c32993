"""conn + migrations -> findings: does the database hold what the migrations promised?

Runs the verify scripts of applied migrations, read-only and rolled back, and looks for
what failed steps leave behind. Whether the database also is what its history makes, is asked in
replay.py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from confiture_flows.catalog.snapshot import take_snapshot
from confiture_flows.errors import MigrationFileError
from confiture_flows.migrations.left_behind import KINDS_LEFT_BEHIND, left_behind
from confiture_flows.report.finding import Finding, Location, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg
    from psycopg import Connection

    from confiture_flows.migrations.migration import Migration, Script
    from confiture_flows.sql.statements import Statement

# Class 22 quotes the value it could not read, which may be a row's: ADR 0007.
_QUOTED_VALUE = re.compile(r': ".*"$', re.DOTALL)


def verify(conn: Connection, migrations: tuple[Migration, ...]) -> tuple[Finding, ...]:
    """Check migrations that are applied.

    A verify script passes when each of its statements succeeds and each SELECT among
    them gives a first column that is true in a first row that exists.

    Args:
        conn: In autocommit.
        migrations: Those to check.
    """
    findings: list[Finding] = []
    for migration in migrations:
        if migration.verify:
            findings += _run_script(conn, migration, migration.verify)
    catalog = take_snapshot(conn, only=KINDS_LEFT_BEHIND)
    in_build = _in_build(conn) if catalog.invalid else frozenset()
    return (*findings, *left_behind(catalog, in_build))


def _in_build(conn: Connection) -> frozenset[str]:
    rows = conn.execute(
        "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)"
        " FROM pg_catalog.pg_stat_progress_create_index AS p"
        " JOIN pg_catalog.pg_class AS c ON c.oid = p.index_relid"
        " JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE p.datname = current_database()"
    )
    return frozenset(name for (name,) in rows)


def _run_script(conn: Connection, migration: Migration, script: Script) -> Iterator[Finding]:
    import psycopg

    try:
        statements = [each for batch in script.batches() for each in batch.statements]
    except MigrationFileError as error:
        location = Location(error.file or script.path, error.line)
        yield _finding(migration, location, error.message)
        return
    with conn.transaction(force_rollback=True):
        conn.execute("SET LOCAL transaction_read_only = on")
        for statement in statements:
            try:
                # A savepoint each, so that one failing check does not hide the next.
                with conn.transaction():
                    problem = _check(conn, statement, script)
            except psycopg.Error as error:
                if conn.closed or conn.broken:
                    raise  # the target's failure, not the check's
                problem = script.without_values(_said(error))
            if problem:
                location = Location(statement.file or script.path, statement.line)
                yield _finding(migration, location, problem)


def _check(conn: Connection, statement: Statement, script: Script) -> str | None:
    cursor = conn.execute(statement.sql.encode())
    if statement.kind != "select_stmt":
        return None
    row = cursor.fetchone()
    if row is None:
        return "the check gives no row"
    return None if row[0] else script.without_values(f"the check gives {row[0]!r}")


def _said(error: psycopg.Error) -> str:
    if error.diag.message_primary is None:
        return "what the check gives cannot be read"  # psycopg's own words quote it
    if (error.sqlstate or "").startswith("22"):
        return _QUOTED_VALUE.sub(": (...)", error.diag.message_primary)
    return error.diag.message_primary


def _finding(migration: Migration, location: Location, problem: str) -> Finding:
    return Finding(
        "verify.failed",
        Severity.ERROR,
        f"{migration.label} does not verify: {problem}.",
        next_step="Look at what the script expects; the migration itself is applied.",
        version=migration.version,
        location=location,
    )
