"""The schema of a source -> what is made before the rows, after them, and what has to be there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import Error, sql

from confiture_flows.anonymization.copying.sessions import copy_error
from confiture_flows.errors import CopyError
from confiture_flows.postgres.dump import dump_sections

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.anonymization.copying.source import Source
    from confiture_flows.anonymization.plan import CopyPlan

# They hold production's passwords for other servers.
_USER_MAPPING = re.compile(
    r"""^CREATE\ USER\ MAPPING\ FOR\ (?:"(?:[^"]|"")*"|'(?:[^']|'')*'|[^;'"])*;\n""",
    re.MULTILINE | re.VERBOSE,
)
# A setting of newer pg_dump that older servers do not know.
_NEWER_SETTING = re.compile(r"^SET transaction_timeout = 0;$", re.MULTILINE)

_SEQUENCES = """
SELECT n.nspname, c.relname, t.relname, tn.nspname, a.attname
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    AND d.objid = c.oid AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
    AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
LEFT JOIN pg_catalog.pg_class AS t ON t.oid = d.refobjid
LEFT JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace
LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
WHERE c.relkind = 'S' AND c.relpersistence <> 't'
    AND n.nspname <> ALL ('{pg_catalog,information_schema}')
"""
_EXTENSIONS = "SELECT extname FROM pg_catalog.pg_extension WHERE extname <> 'plpgsql'"
_POLICY_ROLES = """
SELECT DISTINCT r.rolname FROM pg_catalog.pg_policy AS p
CROSS JOIN LATERAL pg_catalog.unnest(p.polroles) AS u(role)
JOIN pg_catalog.pg_roles AS r ON r.oid = u.role
"""


@dataclass(frozen=True, slots=True)
class Sequence:
    """Where a sequence stands.

    Attributes:
        schema: Its schema.
        name: Its name.
        last: Its last value.
        called: Whether that was given out.
        column: The column whose it is, if its values are masked: table, schema, name.
    """

    schema: str
    name: str
    last: int
    called: bool
    column: tuple[str, str, str] | None = None


@dataclass(frozen=True, slots=True)
class Schema:
    """What is made around the rows.

    Attributes:
        before: SQL: types, functions, tables.
        after: SQL: indexes, keys, triggers, policies.
        extensions: That have to be available.
        roles: That policies name.
    """

    before: str
    after: str
    extensions: tuple[str, ...]
    roles: tuple[str, ...]


def read_schema(source: Source, *, owners: bool) -> Schema:
    """Read it, as of the snapshot.

    Raises:
        EmbeddedServerError: There are no fitting pg_dump and pg_restore, or they fail.
    """
    dsn, major = source.target.dsn, source.major
    before, after = dump_sections(dsn, major, owners=owners, snapshot=source.snapshot)
    return Schema(
        _USER_MAPPING.sub("", before),
        after,
        tuple(name for (name,) in source.conn.execute(_EXTENSIONS)),
        tuple(name for (name,) in source.conn.execute(_POLICY_ROLES)),
    )


def read_sequences(source: Source, plan: CopyPlan) -> tuple[Sequence, ...]:
    """Read where sequences stand now: no snapshot holds them, and they only go on."""
    masked = {(t.schema, t.name, c.column.name) for t in plan.tables for c in t.masked}
    found: list[Sequence] = []
    for schema, name, table, table_schema, column in source.conn.execute(_SEQUENCES).fetchall():
        row = source.conn.execute(
            sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(schema, name))
        ).fetchone()
        assert row is not None  # noqa: S101 - a sequence has one row
        own = (table_schema, table, column)
        last, called = row
        found.append(Sequence(schema, name, last, called, own if own in masked else None))
    return tuple(found)


def set_sequences(conn: Connection, sequences: tuple[Sequence, ...]) -> None:
    """Let sequences go on where the source's stand, or behind masked values that are higher."""
    for each in sequences:
        last, called = each.last, each.called
        if each.column:
            schema, table, column = each.column
            row = conn.execute(
                sql.SQL("SELECT max({})::bigint FROM {}").format(
                    sql.Identifier(column), sql.Identifier(schema, table)
                )
            ).fetchone()
            if row and row[0] is not None and row[0] >= last:
                last, called = row[0], True
        name = sql.Identifier(each.schema, each.name).as_string(conn)
        conn.execute(
            "SELECT pg_catalog.setval(%s::pg_catalog.regclass, %s, %s)", (name, last, called)
        )


def sequences_script(sequences: tuple[Sequence, ...]) -> str:
    """The same as SQL, for whoever loads the files; masked values are not looked at."""
    lines = [
        sql.SQL("SELECT pg_catalog.setval({}, {}, {});\n")
        .format(sql.Identifier(each.schema, each.name).as_string(), each.last, each.called)
        .as_string()
        for each in sequences
    ]
    return "".join(lines)


def check_available(conn: Connection, schema: Schema, where: str) -> None:
    """Check that what a schema needs is on a server.

    Raises:
        CopyError: An extension or a role is not.
    """
    there = {
        name for (name,) in conn.execute("SELECT name FROM pg_catalog.pg_available_extensions")
    }
    if missing := sorted(set(schema.extensions) - there):
        raise CopyError(
            f"{where} does not have what the source uses: extension {', '.join(missing)}.",
            next_step="Install it there.",
        )
    roles = {name for (name,) in conn.execute("SELECT rolname FROM pg_catalog.pg_roles")}
    if missing := sorted(set(schema.roles) - roles):
        raise CopyError(
            f"Policies of the source name roles that {where} does not have: {', '.join(missing)}.",
            next_step="Create them there: CREATE ROLE.",
        )


def run_script(conn: Connection, script: str, what: str) -> None:
    """Run SQL of pg_dump, in one transaction.

    Args:
        conn: In autocommit; its search_path is emptied by the script.
        script: The SQL.
        what: In words, for an error.

    Raises:
        CopyError: A statement fails; PostgreSQL's message names objects, and is told, its detail
            may name values, and is not.
    """
    if conn.info.server_version < 170_000:
        script = _NEWER_SETTING.sub("", script)
    try:
        conn.execute(script.encode())
    except Error as error:
        raise script_error(what, error) from None


def script_error(what: str, error: Error) -> CopyError:
    """What an error means that a statement of pg_dump's has met."""
    made = copy_error(what, error)
    # Of integrity errors only the constraint is told; what else may fail names no row.
    if not made.retryable and not (error.sqlstate or "").startswith(("22", "23")):
        made.message = f"{made.message} {error.diag.message_primary}."
        made.args = (made.message,)
    return made
