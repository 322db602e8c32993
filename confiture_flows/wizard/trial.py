"""A target -> what stands there: tried at once, in words that fit a line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from confiture_flows.dryrun.words import size
from confiture_flows.errors import TargetError
from confiture_flows.target import connect, describe_dsn

if TYPE_CHECKING:
    from confiture_flows.target import Target

_FACTS = """
SELECT pg_catalog.current_setting('server_version'),
    pg_catalog.pg_database_size(pg_catalog.current_database()),
    (SELECT count(*) FROM pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'),
    pg_catalog.pg_is_in_recovery()
"""


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What a person wants to know of a database before choosing it.

    Attributes:
        where: Database, host and port; safe to show.
        version: The server's.
        size: Bytes.
        tables: How many.
        standby: Whether it can only be read.
        missing: Whether the server has no such database yet.
    """

    where: str
    version: str
    size: int = 0
    tables: int = 0
    standby: bool = False
    missing: bool = False

    def __str__(self) -> str:
        version = f"PostgreSQL {self.version.split()[0]}"
        if self.missing:
            return f"{self.where}: {version}, no such database yet"
        tables = f"{self.tables} table{'s' * (self.tables != 1)}"
        standby = ", a standby" if self.standby else ""
        return f"{self.where}: {version}, {size(self.size)}, {tables}{standby}"


def try_database(target: Target, *, may_be_missing: bool = False) -> DatabaseFacts:
    """Connect, and look around.

    Args:
        target: The database.
        may_be_missing: Whether it is enough that its server answers, as for a copy.

    Raises:
        ConfigError: The connection string cannot be read.
        TargetError: It does not answer, or refuses.
    """
    try:
        return _look(target)
    except TargetError:
        # What the server says of a missing database is in its own language.
        if may_be_missing and (facts := _beside(target)) is not None:
            return facts
        raise


def _look(target: Target) -> DatabaseFacts:
    with connect(target, "wizard") as conn:
        conn.execute("SET statement_timeout = '10s'")
        row = conn.execute(_FACTS).fetchone()
    assert row is not None  # noqa: S101 - a SELECT of expressions gives a row
    return DatabaseFacts(describe_dsn(target.dsn), *row)


def _beside(target: Target) -> DatabaseFacts | None:
    """The facts of the server where it answers and has no database of this name."""
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    parts = conninfo_to_dict(target.dsn)
    wanted = parts.get("dbname") or parts.get("user")
    beside = replace(target, dsn=make_conninfo(target.dsn, dbname="postgres"))
    try:
        with connect(beside, "wizard") as conn:
            found = conn.execute(
                "SELECT pg_catalog.current_setting('server_version'), "
                "EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = %s)",
                (wanted,),
            ).fetchone()
    except TargetError:
        return None
    if found is None or found[1]:
        return None
    return DatabaseFacts(describe_dsn(target.dsn), found[0], missing=True)
