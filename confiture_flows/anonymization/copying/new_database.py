"""A target -> a new database beside it, which takes its name at the end, or is dropped.

It is called TARGET__confiture_NUMBER. The session that makes it holds the advisory lock of that
number, so that a database of such a name whose lock nobody holds was left by a copy that was
killed, and the next copy drops it. Until it has the target's name nobody else may connect to it.

A database that a copy has made says so in its comment. One that does not is foreign, and is not
replaced unless told so.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from confiture_flows.anonymization.copying.refusals import (
    MARK,
    refuse_foreign,
    refuse_production,
    refuse_source,
)
from confiture_flows.errors import CopyError, TargetError
from confiture_flows.target import Target, connect, describe_dsn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from confiture_flows.anonymization.copying.source import Source

_INFIX = "__confiture_"
_NUMBER_LOCKS, _TARGET_LOCKS = 1751936054, 1751936055
_MAINTENANCE = ("postgres", "template1")
_LONGEST = 63
_SWAP_SECONDS = 10.0
_LEAVING_SECONDS = 1.0

_ABANDONED = """
SELECT d.datname FROM pg_catalog.pg_database AS d
WHERE pg_catalog.starts_with(d.datname, %(prefix)s)
    AND pg_catalog.substr(d.datname, %(start)s) ~ '^[0-9]+$'
    AND pg_catalog.starts_with(
        coalesce(pg_catalog.shobj_description(d.oid, 'pg_database'), %(mark)s), %(mark)s)
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_locks AS l
        WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.classid::bigint = %(class)s
            AND l.objid::text = pg_catalog.substr(d.datname, %(start)s))
"""
_SESSIONS = """
SELECT pg_catalog.format('%%s from %%s', coalesce(nullif(application_name, ''), usename),
    coalesce(client_addr::text, 'this machine'))
FROM pg_catalog.pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'
"""
_LOCALE = """
SELECT pg_catalog.pg_encoding_to_char(encoding), datcollate, datctype
FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()
"""
_KEPT_SETTINGS = """
SELECT setting FROM pg_catalog.pg_db_role_setting AS s
CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS u(setting)
WHERE s.setrole = 0
    AND s.setdatabase = (SELECT oid FROM pg_catalog.pg_database WHERE datname = %s)
"""
_RIGHTS = """
SELECT coalesce(r.rolname, ''), a.privilege_type, a.is_grantable
FROM pg_catalog.pg_database AS d
CROSS JOIN LATERAL pg_catalog.aclexplode(
    coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) AS a
LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = a.grantee
WHERE d.datname = %s AND a.grantee <> d.datdba
"""


@dataclass
class NewDatabase:
    """A database on its way to a target's name.

    Attributes:
        admin: A session on the maintenance database of that server, which holds the lock.
        name: What it is called so far.
        wanted: What it is to be called.
        target: The new database.
        existed: Whether there is a database of the wanted name.
        end_sessions: Whether sessions on that are ended.
    """

    admin: Connection
    name: str
    wanted: str
    target: Target
    existed: bool
    end_sessions: bool
    taken: bool = False
    kept: bool = False

    def create(self, source: Source) -> None:
        """Create it.

        Raises:
            CopyError: The server does not let us, or lacks the source's collation.
        """
        _create(self.admin, source, self)

    def publish(self, source: str) -> str:
        """Take the target's name; the old database is dropped when the new one has it.

        Returns:
            The name.

        Raises:
            CopyError: The target is in use; it stays what it was.
        """
        self._mark(self.name, f"{MARK}: of {source}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
        old = f"{self.name}0"
        until = time.monotonic() + _SWAP_SECONDS
        while True:
            try:
                self._rename(old)
                break
            except errors.ObjectInUse:
                self.admin.execute("ROLLBACK")
                if time.monotonic() > until:
                    raise self.in_use() from None
                if self.end_sessions:
                    end_sessions(self.admin, self.wanted)
                time.sleep(0.1)
        self.taken = True
        if self.existed:
            # What is left by a failure here is dropped by the next copy: it bears its mark.
            with suppress(psycopg.Error):
                drop_database(self.admin, old)
        return self.wanted

    def keep_aside(self) -> str:
        """Stay as it is, where nobody else may connect; the next copy to the target drops it.

        Returns:
            The name.
        """
        self._mark(self.name, f"{MARK}: its proof failed, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
        self.kept = True
        return self.name

    def wait_until_unused(self, seconds: float) -> None:
        """Let sessions on the target end by themselves.

        Raises:
            CopyError: Some are left.
        """
        until = time.monotonic() + seconds
        while self.admin.execute(_SESSIONS, (self.wanted,)).fetchone():
            if time.monotonic() > until:
                raise self.in_use()
            time.sleep(0.05)

    def in_use(self) -> CopyError:
        """Who keeps the target from being replaced."""
        found = [who for (who,) in self.admin.execute(_SESSIONS, (self.wanted,))]
        who = ", ".join(sorted(set(found))[:5]) or "somebody who has just left"
        return CopyError(
            f"The target {self.wanted} is in use by {len(found)} sessions: {who}.",
            next_step="End them, or let the copy end them.",
        )

    def _rename(self, old: str) -> None:
        """Both names change in one transaction."""
        admin = self.admin
        rights = admin.execute(_RIGHTS, (self.wanted if self.existed else "template1",)).fetchall()
        admin.execute("BEGIN")
        if self.existed:
            self._mark(self.wanted, f"{MARK}: replaced, to be dropped")
            self._take_over_owner()
            admin.execute(_renaming(self.wanted, old))
        admin.execute(_renaming(self.name, self.wanted))
        for grantee, privilege, grantable in rights:
            admin.execute(
                sql.SQL("GRANT {} ON DATABASE {} TO {}{}").format(
                    sql.SQL(privilege),
                    sql.Identifier(self.wanted),
                    sql.Identifier(grantee) if grantee else sql.SQL("PUBLIC"),
                    sql.SQL(" WITH GRANT OPTION" if grantable else ""),
                )
            )
        admin.execute("COMMIT")

    def _take_over_owner(self) -> None:
        row = self.admin.execute(
            "SELECT r.rolname FROM pg_catalog.pg_database AS d JOIN pg_catalog.pg_roles AS r "
            "ON r.oid = d.datdba WHERE d.datname = %s AND r.rolname <> current_user",
            (self.wanted,),
        ).fetchone()
        if row:
            self.admin.execute(
                sql.SQL("ALTER DATABASE {} OWNER TO {}").format(
                    sql.Identifier(self.name), sql.Identifier(row[0])
                )
            )

    def _mark(self, name: str, text: str) -> None:
        self.admin.execute(
            sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), text)
        )


@contextmanager
def new_database(
    source: Source, target: Target, number: int, *, replace: bool, ends: bool
) -> Iterator[NewDatabase]:
    """Prepare a database beside a target; drop it with the block unless it has taken the name.

    Args:
        source: Whose encoding and collation it gets.
        target: Whose name it is to take.
        number: Of the copy.
        replace: Whether a foreign database may be replaced.
        ends: Whether sessions on the target are ended.

    Raises:
        CopyError: The target is the source, is in use, foreign, production's, or being copied to.
        TargetError: The server refuses us.
    """
    refuse_production(target)
    wanted = _database_of(target)
    with ExitStack() as stack:
        admin = _maintenance(target, stack)
        existed = _exists(admin, wanted)
        refuse_source(source, admin, wanted, target)
        row = admin.execute(
            "SELECT pg_catalog.pg_try_advisory_lock(%s, pg_catalog.hashtext(%s)), "
            "pg_catalog.pg_try_advisory_lock(%s, %s)",
            (_TARGET_LOCKS, wanted, _NUMBER_LOCKS, number),
        ).fetchone()
        if row != (True, True):
            raise CopyError(f"Another copy to {target.name} is running.", next_step="Let it end.")
        drop_left_behind(admin, wanted)
        name = f"{_prefix(wanted)}{number}"
        made = NewDatabase(
            admin,
            name,
            wanted,
            Target(target.name, make_conninfo(target.dsn, dbname=name), limits=target.limits),
            existed,
            ends,
        )
        if existed:
            if not ends:
                made.wait_until_unused(_LEAVING_SECONDS)
            refuse_foreign(admin, target, wanted, replace=replace)
        try:
            yield made
        finally:
            # If the connection is gone, so is the lock: the next copy drops the database.
            if not (made.taken or made.kept):
                with suppress(psycopg.Error):
                    admin.execute("ROLLBACK")
                    drop_database(admin, name)


def drop_left_behind(admin: Connection, wanted: str) -> tuple[str, ...]:
    """Drop what killed copies to a target have left.

    Returns:
        The names.
    """
    prefix = _prefix(wanted)
    values = {"prefix": prefix, "start": len(prefix) + 1, "class": _NUMBER_LOCKS, "mark": MARK}
    found = tuple(name for (name,) in admin.execute(_ABANDONED, values).fetchall())
    for each in found:
        with suppress(psycopg.Error):
            drop_database(admin, each)
    return found


def drop_database(admin: Connection, name: str) -> None:
    """Drop a database with whoever is connected to it; PostgreSQL 13 and later."""
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def end_sessions(admin: Connection, database: str) -> None:
    """End the sessions on a database."""
    admin.execute(
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity "
        "WHERE datname = %s AND backend_type = 'client backend'",
        (database,),
    )


def _create(admin: Connection, source: Source, made: NewDatabase) -> None:
    row = source.conn.execute(_LOCALE).fetchone()
    assert row is not None  # noqa: S101 - the database that we are in
    encoding, collate, ctype = row
    name = sql.Identifier(made.name)
    try:
        admin.execute(
            sql.SQL(
                "CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}"
            ).format(name, encoding, collate, ctype)
        )
    except errors.InsufficientPrivilege:
        raise CopyError(
            f"User {admin.info.user} may not create a database at {describe_dsn(made.target.dsn)}.",
            next_step=f'ALTER ROLE "{admin.info.user}" CREATEDB.',
        ) from None
    except (errors.WrongObjectType, errors.InvalidParameterValue):
        raise CopyError(
            f"The target's server has no collation {collate}, which the source uses.",
            next_step="Install it there.",
        ) from None
    admin.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    admin.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(name, f"{MARK}: being loaded"))
    # Its own, as search_path: those of the target that is replaced, else the source's.
    held = admin if made.existed else source.conn
    of = made.wanted if made.existed else source.conn.info.dbname
    _keep_settings(admin, made.name, [s for (s,) in held.execute(_KEPT_SETTINGS, (of,)).fetchall()])


def _keep_settings(admin: Connection, name: str, settings: list[str]) -> None:
    for each in settings:
        key, _, value = each.partition("=")
        with admin.transaction():
            # One of them may be default_transaction_read_only.
            admin.execute("SET TRANSACTION READ WRITE")
            admin.execute("SELECT pg_catalog.set_config(%s, %s, true)", (key, value))
            admin.execute(
                sql.SQL("ALTER DATABASE {} SET {} FROM CURRENT").format(
                    sql.Identifier(name), sql.SQL(".").join(map(sql.Identifier, key.split(".")))
                )
            )


def _maintenance(target: Target, stack: ExitStack) -> Connection:
    """A session beside the target: nobody renames the database that he is in."""
    wanted = _database_of(target)
    refused: TargetError | None = None
    for database in _MAINTENANCE:
        if database != wanted:
            beside = Target(target.name, make_conninfo(target.dsn, dbname=database))
            try:
                return stack.enter_context(connect(beside, "copy"))
            except TargetError as error:
                refused = error
    raise refused or CopyError(f"{target.name} cannot be the target of a copy.")


def _exists(admin: Connection, name: str) -> bool:
    found = admin.execute("SELECT FROM pg_catalog.pg_database WHERE datname = %s", (name,))
    return found.fetchone() is not None


def _database_of(target: Target) -> str:
    parts = conninfo_to_dict(target.dsn)
    name = parts.get("dbname") or parts.get("user")
    if not name:
        raise CopyError(f"The target {target.name} names no database.")
    return str(name)


def _prefix(wanted: str) -> str:
    """So that the name with any number, and a digit more, is no longer than a name may be."""
    room = _LONGEST - len(_INFIX) - 11
    return wanted.encode()[:room].decode(errors="ignore") + _INFIX


def _renaming(name: str, to: str) -> sql.Composed:
    return sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
        sql.Identifier(name), sql.Identifier(to)
    )
