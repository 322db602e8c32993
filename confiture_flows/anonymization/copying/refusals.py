"""A target that must not become a copy -> a refusal, before anything is done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from confiture_flows.errors import ConfigError, CopyError
from confiture_flows.target import connect

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.anonymization.copying.source import Source
    from confiture_flows.anonymization.copying.values import CopyOptions
    from confiture_flows.target import Target

MARK = "Anonymized copy by confiture-flows"

_TABLES = """
SELECT count(*) FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname <> 'information_schema'
    AND NOT pg_catalog.starts_with(n.nspname, 'pg_')
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
            AND d.deptype = 'e')
"""
_WHO = """
SELECT (SELECT system_identifier FROM pg_catalog.pg_control_system()),
    pg_catalog.current_database()
"""


def refuse_production(target: Target) -> None:
    """Refuse a production target.

    Raises:
        CopyError: It is one.
    """
    if target.production:
        raise CopyError(
            f"{target.name} is a production target: no copy replaces it.",
            next_step="Name another target.",
        )


def refuse_source(source: Source, admin: Connection, wanted: str, target: Target) -> None:
    """Refuse the source as target, also where it is a standby of the target's server.

    Raises:
        CopyError: It is the same database, or its primary.
    """
    here = admin.execute(_WHO).fetchone()
    there = source.conn.execute(_WHO).fetchone()
    if here and there and here[0] == there[0] and there[1] == wanted:
        raise CopyError(
            f"The target {target.name} is the source itself.", next_step="Name another target."
        )


def refuse_foreign(admin: Connection, target: Target, wanted: str, *, replace: bool) -> None:
    """Refuse a target with tables, unless a copy has made it or it may be replaced.

    Raises:
        CopyError: It is foreign.
    """
    if replace or _made_by_a_copy(admin, wanted):
        return
    with connect(target, "copy") as conn:
        found = conn.execute(_TABLES).fetchone()
    if found and found[0]:
        raise CopyError(
            f"The target {target.name} holds {found[0]} tables that no earlier copy has made.",
            next_step="Name another target, or say that it may be replaced: --replace.",
        )


def foreign_tables(target: Target) -> int:
    """How many tables a database holds that no copy has made.

    Raises:
        TargetError: It does not answer, or refuses.
    """
    with connect(target, "copy") as conn:
        if _made_by_a_copy(conn, conn.info.dbname):
            return 0
        found = conn.execute(_TABLES).fetchone()
    return found[0] if found else 0


def _made_by_a_copy(conn: Connection, name: str) -> bool:
    row = conn.execute(
        "SELECT pg_catalog.shobj_description(oid, 'pg_database') FROM pg_catalog.pg_database "
        "WHERE datname = %s",
        (name,),
    ).fetchone()
    return bool(row and (row[0] or "").startswith(MARK))


def database_to_load(target: Target | Path, options: CopyOptions) -> Target:
    """The target, if it can be loaded in place as these options say.

    Raises:
        ConfigError: It is a folder, or an option is about new databases.
    """
    if isinstance(target, Path):
        raise ConfigError(
            f"{target} is a folder: only a database has tables to load in place.",
            next_step="Name a target, or leave in-place loading out.",
        )
    about_new = {
        "replace": options.replace,
        "end_sessions": options.end_sessions,
        "owners": options.owners,
    }
    if found := [name for name, wanted in about_new.items() if wanted]:
        raise ConfigError(
            f"{', '.join(found)}: only of a copy that makes a new database.",
            next_step="Leave it out, or in-place loading.",
        )
    return target
