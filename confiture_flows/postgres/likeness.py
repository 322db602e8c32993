"""conn -> Likeness: what a scratch database must have in common with a target, as a value.

Only what a migration may meet without having made it: the server's version, the database's name
and encoding, the session settings that change what DDL does, roles, and extensions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg import Connection

# The same file makes something else where these differ.
_SETTINGS = (
    "search_path",
    "timezone",
    "datestyle",
    "intervalstyle",
    "check_function_bodies",
    "default_toast_compression",
)

_ROLES = """
SELECT
    r.rolname,
    concat_ws(' ',
        CASE WHEN r.rolsuper THEN 'SUPERUSER' END,
        CASE WHEN NOT r.rolinherit THEN 'NOINHERIT' END,
        CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,
        CASE WHEN r.rolcreatedb THEN 'CREATEDB' END,
        CASE WHEN r.rolreplication THEN 'REPLICATION' END,
        CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END),
    ARRAY(
        SELECT pg_catalog.pg_get_userbyid(m.roleid)::text
        FROM pg_catalog.pg_auth_members AS m WHERE m.member = r.oid ORDER BY 1
    )
FROM pg_catalog.pg_roles AS r
WHERE r.rolname !~ '^pg_'
ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Role:
    """A role of the target's server, without its password.

    Attributes:
        name: Unquoted.
        attributes: As CREATE ROLE takes them; only words of ours.
        member_of: The roles it is a member of.
    """

    name: str
    attributes: str
    member_of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a scratch database has to be like.

    Attributes:
        major: The server's major version.
        database: The database's name.
        encoding: Of the database, as PostgreSQL names it.
        user: The role that asked.
        settings: Names and values of session settings.
        roles: Those of the server, PostgreSQL's own left out.
        extensions: Names of those that are installed.
    """

    major: int
    database: str
    encoding: str
    user: str
    settings: tuple[tuple[str, str], ...]
    roles: tuple[Role, ...]
    extensions: tuple[str, ...]


def read_likeness(conn: Connection) -> Likeness:
    """Read what a scratch database for this one must be like. Only reads."""
    encoding, user = conn.execute(
        "SELECT pg_catalog.pg_encoding_to_char(encoding), session_user::text"
        " FROM pg_catalog.pg_database WHERE datname = current_database()"
    ).fetchall()[0]
    settings = conn.execute(
        "SELECT name, pg_catalog.current_setting(name) FROM unnest(%s::text[]) AS s (name)"
        " WHERE pg_catalog.current_setting(name, true) IS NOT NULL",
        [list(_SETTINGS)],
    )
    extensions = conn.execute("SELECT extname::text FROM pg_catalog.pg_extension ORDER BY 1")
    return Likeness(
        major=conn.info.server_version // 10_000,
        database=conn.info.dbname,
        encoding=encoding,
        user=user,
        settings=tuple((name, value) for name, value in settings),
        roles=tuple(
            Role(name, attributes, tuple(member_of))
            for name, attributes, member_of in conn.execute(_ROLES)
        ),
        extensions=tuple(name for (name,) in extensions),
    )
