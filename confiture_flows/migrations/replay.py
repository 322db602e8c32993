"""conn + migrations -> Replay: is the database what its history makes?

The migrations that the ledger names run again, in the ledger's order and through the engine's own
`apply_plan`, in a scratch database; its catalog is compared with the target's. On the target only
reads happen. Where the history cannot be run again (files that are gone, edited or squashed, no
server of the target's version, an extension it lacks, a migration that needs rows which are not
there), the answer is unknown, with the reason, and never that all is well.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

from confiture_flows.catalog.diff import diff
from confiture_flows.catalog.snapshot import take_snapshot
from confiture_flows.errors import (
    ApplyError,
    LedgerError,
    LockError,
    MigrationFileError,
    TargetError,
)
from confiture_flows.migrations.apply import apply_plan
from confiture_flows.migrations.ledger import locate_ledger, read_rows
from confiture_flows.migrations.observer import Observer
from confiture_flows.migrations.plan import Direction, Plan, Step
from confiture_flows.postgres.likeness import read_likeness
from confiture_flows.postgres.scratch import ScratchUnavailable, scratch_database
from confiture_flows.report.finding import Location
from confiture_flows.target import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from psycopg import Connection

    from confiture_flows.catalog.diff import Change
    from confiture_flows.catalog.model import Catalog
    from confiture_flows.config import Limits
    from confiture_flows.migrations.ledger import LedgerRow, LedgerTable
    from confiture_flows.migrations.migration import Migration
    from confiture_flows.postgres.likeness import Likeness
    from confiture_flows.postgres.scratch import Scratch
    from confiture_flows.sql.statements import Statement

Watch: TypeAlias = "Callable[[Connection], AbstractContextManager[Observer]]"
"""Watches a connection for the length of a block, and gives who hears of what happens on it."""

# What a statement would do to more than the scratch database: by the parser's name for it.
_ELSEWHERE = {
    "create_subscription_stmt": "subscribes to another server",
    "create_table_space_stmt": "makes a tablespace",
    "create_foreign_server_stmt": "reaches another server",
    "alter_foreign_server_stmt": "reaches another server",
    "import_foreign_schema_stmt": "reaches another server",
}
_WHOLE_SERVER = {
    "create_role_stmt": "creates a role",
    "alter_role_stmt": "alters a role",
    "alter_role_set_stmt": "alters a role",
    "drop_role_stmt": "drops a role",
    "grant_role_stmt": "grants a role",
    "alter_system_stmt": "alters the server's settings",
    "createdb_stmt": "creates a database",
    "dropdb_stmt": "drops a database",
    "alter_database_stmt": "alters a database",
    "alter_database_set_stmt": "alters a database",
}
_COPY_OUTSIDE = re.compile(r"\b(?:FROM|TO)\s+(?:PROGRAM\b|E?'|\$)", re.IGNORECASE)
_OUTSIDE = re.compile(
    r"\b(?:dblink\w*|lo_import|lo_export|pg_file_(?:write|unlink|rename|sync)"
    r"|pg_create_(?:physical|logical)_replication_slot)\b",
    re.IGNORECASE,
)
_DUPLICATE_OBJECT = "42710"
_ROLE_EXISTS = re.compile(r'role "(?P<name>.+?)" already exists')


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay found.

    Attributes:
        migrations: How many were replayed.
        changes: From what the history makes to what the database holds.
        place: Where it was replayed; empty when it was not.
        unknown: Why there is nothing to say, in a sentence; None when there is.
        next_step: What can be done about that.
        version: The migration that stood in the way.
        location: Where it stands.
    """

    migrations: int = 0
    changes: tuple[Change, ...] = ()
    place: str = ""
    unknown: str | None = None
    next_step: str | None = None
    version: str | None = None
    location: Location | None = None


class _Unknown(Exception):
    """Carries a Replay that says why it is unknown out to where it is returned."""

    def __init__(
        self, reason: str, next_step: str | None = None, migration: Migration | None = None
    ) -> None:
        super().__init__(reason)
        self.replay = Replay(
            unknown=reason,
            next_step=next_step,
            version=migration.version if migration else None,
            location=Location(migration.up.path) if migration else None,
        )


@contextmanager
def unwatched(_conn: Connection) -> Iterator[Observer]:
    """Nobody watches a connection."""
    yield Observer()


def replay(
    conn: Connection,
    migrations: tuple[Migration, ...],
    *,
    ledger: str,
    limits: Limits,
    scratch: str | None = None,
    watch: Watch = unwatched,
) -> Replay:
    """Compare a database with what the migrations that are applied to it make.

    Args:
        conn: The database; in autocommit. Only read.
        migrations: All of the directory.
        ledger: Name of the ledger table.
        limits: How long a statement may take, and queue.
        scratch: Connection string of a server to replay on; None starts one.
        watch: Watches each connection to the scratch database and hears of its migrations.

    Raises:
        LedgerError: The ledger is something else, or may not be read.
        ConfigError: `scratch` cannot be read.
    """
    table = locate_ledger(conn, ledger)
    try:
        rows = read_rows(conn, table)
        steps = _steps(migrations, rows)
        by_version = {row.version: row for row in rows}
        ran = tuple(by_version[step.migration.version] for step in steps)
        likeness = read_likeness(conn)
        _check_reach(steps, private=scratch is None)
        with scratch_database(likeness, scratch) as place:
            builder = _Builder(place, likeness, table, limits, watch)
            expected = builder.build(steps, ran)
            # By now, and not before: a replay may take minutes.
            held = take_snapshot(
                conn, ledger=(table.schema, table.name), migrators=builder.target_migrators(rows)
            )
        if read_rows(conn, table) != rows:
            raise _Unknown("Another run changed the ledger meanwhile.", "Verify again.")
    except _Unknown as unknown:
        return unknown.replay
    except ScratchUnavailable as error:
        return Replay(unknown=error.reason, next_step=error.next_step)
    except LockError as error:
        return Replay(unknown=error.message, next_step=error.next_step)
    return Replay(len(steps), diff(expected, held), place.place)


def _steps(migrations: tuple[Migration, ...], rows: tuple[LedgerRow, ...]) -> tuple[Step, ...]:
    """The ledger's migrations as steps, in its order; those that repeat come last, as always."""
    if not rows:
        raise _Unknown("No migration is applied, so there is nothing to replay.")
    if squashed := [row.version for row in rows if row.archived_into is not None]:
        raise _Unknown(
            f"Migrations were squashed, so that their files are not what ran: "
            f"{', '.join(squashed)}.",
        )
    by_version = {migration.version: migration for migration in migrations}
    if gone := [row.version for row in rows if row.version not in by_version]:
        raise _Unknown(
            f"Migrations applied but not on disk: {', '.join(gone)}.", "Restore their files."
        )
    for row in rows:
        migration = by_version[row.version]
        if row.checksum not in (None, migration.checksum):
            raise _Unknown(
                f"{migration.label} was edited after it was applied.",
                "Put the file back as it was and write the change as a new migration.",
                migration,
            )
    order = {migration.version: place for place, migration in enumerate(migrations)}
    once = [by_version[row.version] for row in rows if not by_version[row.version].repeatable]
    repeated = [by_version[row.version] for row in rows if by_version[row.version].repeatable]
    repeated.sort(key=lambda migration: order[migration.version])
    return tuple(Step(migration, Direction.UP) for migration in (*once, *repeated))


def _check_reach(steps: tuple[Step, ...], *, private: bool) -> None:
    """Refuse to replay what would reach beyond the scratch database."""
    for step in steps:
        try:
            beyond = beyond_scratch(step, private=private)
        except MigrationFileError as error:
            raise _Unknown(
                f"{step.migration.label}: {error.message}", error.next_step, step.migration
            ) from None
        if beyond is None:
            continue
        statement, deed = beyond
        next_step = "It cannot be replayed without doing that."
        if not private and statement.kind in _WHOLE_SERVER:
            next_step = (
                "On a server that is named this would stay; replay without --scratch "
                "(and without `scratch` of the target) in a server of its own."
            )
        raise _Unknown(
            f"{step.migration.label} {deed} (line {statement.line}).", next_step, step.migration
        )


def beyond_scratch(step: Step, *, private: bool) -> tuple[Statement, str] | None:
    """The first statement of a step that would reach beyond a scratch database, and how.

    Args:
        step: Read as a whole.
        private: Whether the database's server is thrown away with it.

    Raises:
        MigrationFileError: Its script cannot be run as it stands.
    """
    reaches = _ELSEWHERE if private else _ELSEWHERE | _WHOLE_SERVER
    for statement in (each for batch in step.script.batches() for each in batch.statements):
        if deed := reaches.get(statement.kind) or _reach(statement):
            return statement, deed
    return None


def _reach(statement: Statement) -> str | None:
    """What a statement would do outside the database, by its words; functions' bodies count."""
    if statement.kind == "copy_stmt" and _COPY_OUTSIDE.search(statement.sql):
        return "reads or writes a file, or runs a program, on the server"
    if match := _OUTSIDE.search(statement.sql):
        return f"calls {match[0]}, which reaches beyond the database"
    return None


@dataclass(frozen=True, slots=True)
class _Builder:
    """Runs the history in a scratch database."""

    place: Scratch
    likeness: Likeness
    table: LedgerTable
    limits: Limits
    watch: Watch

    def build(self, steps: tuple[Step, ...], rows: tuple[LedgerRow, ...]) -> Catalog:
        """Replay, and read what came of it."""
        try:
            self._prepare()
            done: list[str] = []
            by_user = groupby(zip(steps, rows, strict=True), lambda pair: self._user(pair[1]))
            for user, pairs in by_user:
                group = [step for step, _ in pairs]
                self._apply(user, Plan(Direction.UP, tuple(group), frozenset(done)))
                done += [step.migration.version for step in group]
            with connect(self.place.target(), "replay") as conn:
                migrators = () if self.place.private else (conn.info.user,)
                return take_snapshot(
                    conn, ledger=(self.table.schema, self.table.name), migrators=migrators
                )
        except (ApplyError, LedgerError, LockError, MigrationFileError, TargetError) as error:
            step = next((s for s in steps if s.migration.version == error.version), None)
            raise _Unknown(
                f"The history does not run again: {error.message}",
                "What it needs and does not make itself (rows, objects made by hand) has to come "
                "from a migration.",
                step.migration if step else None,
            ) from None

    def target_migrators(self, rows: tuple[LedgerRow, ...]) -> tuple[str, ...]:
        """The roles that ran migrations on the target, where the scratch has another for them."""
        return () if self.place.private else tuple({self._user(row) for row in rows})

    def _user(self, row: LedgerRow) -> str:
        # The ledger may name somebody who is no role any more, or never was one.
        known = {role.name for role in self.likeness.roles}
        return row.applied_by if row.applied_by in known else self.likeness.user

    def _prepare(self) -> None:
        from psycopg import sql

        with connect(self.place.target(), "replay") as conn:
            # The target's ledger was there before the first migration, and so was its schema.
            schema = sql.Identifier(self.table.schema)
            conn.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(schema))
            if self.place.private:
                for role in self.likeness.roles:
                    # Whoever migrated the target had the rights for it, by whatever way.
                    name = sql.Identifier(role.name)
                    conn.execute(sql.SQL("ALTER ROLE {} SUPERUSER").format(name))

    def _apply(self, user: str, plan: Plan) -> None:
        with connect(self.place.target(user), "replay") as conn, self.watch(conn) as observer:
            for _ in range(len(self.likeness.roles) + 1):
                try:
                    apply_plan(
                        conn,
                        plan,
                        limits=self.limits,
                        ledger=f"{self.table.schema}.{self.table.name}",
                        observer=observer,
                    )
                except ApplyError as error:
                    if not self._gives_way(conn, error):
                        raise
                else:
                    return

    def _gives_way(self, conn: Connection, error: ApplyError) -> bool:
        """Whether a role that was copied from the target is one that the history makes."""
        match = _ROLE_EXISTS.match(error.message)
        if not self.place.private or error.sqlstate != _DUPLICATE_OBJECT or match is None:
            return False
        import psycopg
        from psycopg import sql

        try:
            conn.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(match["name"])))
        except psycopg.Error:
            return False
        return True
