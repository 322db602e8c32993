"""conn -> Catalog: one query, read from PostgreSQL's own tables (13 to 18).

What it leaves out: rows and the state of sequences; large objects; owners, and who gave a right;
what belongs to an extension, the rights given on it included (the extension itself and its version
are an object); what all databases of a server share (roles, tablespaces) and what is set for a
database or a role as a whole; subscriptions and the options of user mappings, which hold passwords;
comments on extensions; names of NOT NULL constraints; multi-column order in a publication; and
whether an inherited column is also declared by its table itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from confiture_flows.catalog.locked import limit_waiting, locked_by_others
from confiture_flows.catalog.model import Catalog, CatalogObject
from confiture_flows.errors import LockError

if TYPE_CHECKING:
    from psycopg import Connection

_HEADER = re.compile(
    r"^-- part: (?P<name>\w+)(?: from (?P<since>\d+))?(?: until (?P<until>\d+))?"
    r"(?: needs (?P<needs>\w+))?\n",
    re.MULTILINE,
)
_RESTRICTED = "-- restricted to relations"
# PostgreSQL numbers what initdb makes below this (FirstNormalObjectId).
_FIRST_OWN_OID = 16384
_NAMED = 5  # of the tables that are locked


@dataclass(frozen=True, slots=True)
class _Part:
    """One SELECT of queries.sql, and when it is asked."""

    name: str
    sql: str
    since: int
    until: int
    needs: str | None


def take_snapshot(
    conn: Connection,
    *,
    ledger: tuple[str, str] | None = None,
    migrators: tuple[str, ...] = (),
    only: frozenset[str] | None = None,
) -> Catalog:
    """Read what is in the database, apart from rows.

    Definitions are printed by the server with search_path emptied, so that they name
    schemas and two snapshots compare. The server waits for a table that somebody keeps in ACCESS
    EXCLUSIVE; that is given up after the session's lock_timeout, or `LOCK_WAIT_MS` without one.

    Args:
        conn: In autocommit, or in a transaction.
        ledger: Schema and name of a table to leave out, together with the tables beside it
            whose names start with that name and an underscore.
        migrators: Roles whose default privileges are called "the migrating role's", so that
            snapshots of servers where migrations run as different roles compare.
        only: The parts of queries.sql to read, of those that every database may have something
            for; None reads all there is.

    Raises:
        LockError: Somebody keeps a table locked.
    """
    from psycopg.errors import LockNotAvailable

    schema, table = ledger or (None, None)
    values = {"schema": schema, "ledger": table, "migrators": list(migrators)}
    try:
        with conn.transaction():
            # Compiling the query would cost more than it saves.
            conn.execute("SET LOCAL search_path = ''; SET LOCAL jit = off")
            limit_waiting(conn)
            # What a catalog may hold needs no question where none of its parts is read.
            rare = () if only else conn.execute(rare_catalogs()).fetchall()
            found = frozenset(row[0] for row in rare)
            query = _query(conn.info.server_version // 10_000, found, only)
            rows = conn.execute(query, values).fetchall()
    except LockNotAvailable:
        raise _locked(conn) from None
    return Catalog.of(CatalogObject(*row) for row in rows)


def _locked(conn: Connection) -> LockError:
    names = [f"{schema}.{name}" for schema, name in locked_by_others(conn).values()]
    which = ", ".join(names[:_NAMED]) or "a table"
    return LockError(
        f"The catalog cannot be read: another session keeps {which} locked.",
        next_step="Run it again when that session is done: select * from pg_locks where granted;",
    )


@cache
def _parts() -> tuple[_Part, ...]:
    text = resources.files("confiture_flows.catalog").joinpath("queries.sql").read_text("utf-8")
    headers = tuple(_HEADER.finditer(text))
    ends = (*(header.start() for header in headers[1:]), len(text))
    return tuple(
        _Part(
            header["name"],
            text[header.end() : end].strip(),
            int(header["since"] or 0),
            int(header["until"] or 99),
            header["needs"],
        )
        for header, end in zip(headers, ends, strict=True)
    )


@cache
def rare_catalogs() -> bytes:
    """Asks which of the catalogs that few databases have anything in have something in them.

    To plan all parts of the query takes longer than to run it.
    """
    wanted = dict.fromkeys(part.needs for part in _parts() if part.needs)
    return " UNION ALL ".join(_holds_something(name) for name in wanted).encode()


def _holds_something(catalog: str) -> str:
    key = "ftrelid" if catalog == "pg_foreign_table" else "oid"
    return (
        f"SELECT '{catalog}' WHERE EXISTS "  # noqa: S608 - names of queries.sql
        f"(SELECT FROM pg_catalog.{catalog} WHERE {key} >= {_FIRST_OWN_OID})"
    )


@cache
def _query(major: int, found: frozenset[str], only: frozenset[str] | None) -> bytes:
    return catalog_query(major, found, only).encode()


def catalog_query(
    major: int, found: frozenset[str], only: frozenset[str] | None, *, restricted: bool = False
) -> str:
    """The query of a snapshot, with its values as psycopg writes them.

    Args:
        major: The server's version.
        found: Which of the catalogs that few databases have anything in have something in them.
        only: As in `take_snapshot`.
        restricted: Whether it reads of relations only those whose numbers are `relations`.
    """
    common, *parts = _parts()
    asked = (
        part.sql
        for part in parts
        if part.since <= major <= part.until
        and (part.needs is None or part.needs in found)
        and (only is None or part.name in only)
    )
    start = (
        common.sql.replace(_RESTRICTED, "AND c.oid IN (SELECT unnest(%(relations)s))")
        if restricted
        else common.sql
    )
    return start + "\n" + "\nUNION ALL\n".join(asked)
