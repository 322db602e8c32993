"""conn + a statement whose end nobody saw -> whether it took effect, and what it left behind.

A statement outside transactions may go on when its run is killed, and one that fails may
leave half of its work. The catalog is noted before it starts and looked at after.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from confiture_flows.sql.effects import Effect, EffectKind

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.sql.effects import Name

Noted = dict[str, Any]  # what JSON can hold

# Of one table, or of all for a null.
_INDEXES = """
SELECT i.indexrelid::bigint, c.relname, i.indisvalid,
    pg_catalog.format('%%I.%%I', n.nspname, c.relname)
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE %(table)s::pg_catalog.text IS NULL OR i.indrelid = (
    SELECT coalesce(pg_catalog.max(x.indrelid), pg_catalog.to_regclass(%(table)s))
    FROM pg_catalog.pg_index AS x WHERE x.indexrelid = pg_catalog.to_regclass(%(table)s)
)
"""
_PARTITION = """
SELECT coalesce((pg_catalog.to_jsonb(i) ->> 'inhdetachpending')::boolean, false)
FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = pg_catalog.to_regclass(%s)
"""
_OF_CLUSTER = {
    "pg_database": "SELECT 1 FROM pg_catalog.pg_database WHERE datname = %s",
    "pg_tablespace": "SELECT 1 FROM pg_catalog.pg_tablespace WHERE spcname = %s",
    "pg_subscription": """
        SELECT 1 FROM pg_catalog.pg_subscription WHERE subname = %s
        AND subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
    """,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the catalog says of a statement.

    Attributes:
        took_effect: Whether its work is done, after the repairs; None when nobody can tell.
        repairs: Statements that take away, or finish, what it left half done.
        invalid: Invalid indexes that it left.
    """

    took_effect: bool | None
    repairs: tuple[str, ...] = ()
    invalid: tuple[str, ...] = field(default=())


def note_before(conn: Connection, effect: Effect) -> Noted:
    """What `judge` has to know of the time before the statement; JSON can hold it."""
    match effect.kind:
        case EffectKind.BUILDS_INDEX:
            return {"indexes": [row[0] for row in _indexes(conn, effect.table)]}
        case EffectKind.REBUILDS_INDEXES:
            return {"indexes": [row[0] for row in _indexes(conn, effect.name)]}
        case EffectKind.DROPS_INDEX | EffectKind.DROPS | EffectKind.CREATES:
            return {"existed": _exists(conn, effect)}
        case _:
            return {}


def judge(conn: Connection, effect: Effect, noted: Noted) -> Verdict:
    """Look whether a statement did what it was to do.

    Args:
        conn: Outside a transaction, with the search_path that the statement had.
        effect: Of the statement.
        noted: What `note_before` gave.
    """
    match effect.kind:
        case EffectKind.BUILDS_INDEX:
            return _judge_build(conn, effect, noted)
        case EffectKind.REBUILDS_INDEXES:
            return _judge_rebuild(conn, effect, noted)
        case EffectKind.DETACHES_PARTITION:
            return _judge_detached(conn, effect)
        case EffectKind.DROPS_INDEX | EffectKind.DROPS:
            return Verdict(noted.get("existed", True) and not _exists(conn, effect))
        case EffectKind.CREATES:
            return Verdict(not noted.get("existed", False) and _exists(conn, effect))
        case EffectKind.REPEATABLE:
            return Verdict(took_effect=False)
        case EffectKind.UNKNOWN:
            return Verdict(took_effect=None)


def quoted(name: Name) -> str:
    """A name as to_regclass and SQL take it."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in name)


def _judge_build(conn: Connection, effect: Effect, noted: Noted) -> Verdict:
    before = set(noted.get("indexes", ()))
    new = [
        row
        for row in _indexes(conn, effect.table)
        if row[0] not in before and (not effect.name or row[1] == effect.name[-1])
    ]
    invalid = tuple(name for _oid, _relname, valid, name in new if not valid)
    return Verdict(bool(new) and not invalid, _dropping(invalid), invalid)


def _judge_rebuild(conn: Connection, effect: Effect, noted: Noted) -> Verdict:
    """It is simply run again; what a broken one leaves are copies with a name of their own."""
    before = set(noted.get("indexes", ()))
    left = tuple(
        name
        for oid, relname, valid, name in _indexes(conn, effect.name)
        if not valid
        and oid not in before
        and relname.rstrip("0123456789").endswith(("_ccnew", "_ccold"))
    )
    return Verdict(took_effect=False, repairs=_dropping(left), invalid=left)


def _judge_detached(conn: Connection, effect: Effect) -> Verdict:
    row = conn.execute(_PARTITION, (quoted(effect.name),)).fetchone()
    if row is None:
        return Verdict(took_effect=True)
    if not row[0]:
        return Verdict(took_effect=False)
    finish = f"ALTER TABLE {quoted(effect.table)} DETACH PARTITION {quoted(effect.name)} FINALIZE"
    return Verdict(took_effect=True, repairs=(finish,))


def _dropping(indexes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"DROP INDEX CONCURRENTLY IF EXISTS {name}" for name in indexes)


def _indexes(conn: Connection, name: Name) -> list[tuple[Any, ...]]:
    """The indexes of a table, of the table that an index belongs to, or of the database."""
    return conn.execute(_INDEXES, {"table": quoted(name) or None}).fetchall()


def _exists(conn: Connection, effect: Effect) -> bool:
    if effect.catalog:
        query = _OF_CLUSTER[effect.catalog]
        return conn.execute(query.encode(), effect.name).fetchone() is not None
    row = conn.execute("SELECT pg_catalog.to_regclass(%s)", (quoted(effect.name),)).fetchone()
    return row is not None and row[0] is not None


def invalid_indexes(conn: Connection, effect: Effect, noted: Noted) -> tuple[str, ...]:
    """The invalid indexes that a build left though it succeeded.

    With IF NOT EXISTS it is content with an index that an earlier, broken build left.
    """
    if effect.kind is not EffectKind.BUILDS_INDEX:
        return ()
    before = set(noted.get("indexes", ()))
    return tuple(
        name
        for oid, relname, valid, name in _indexes(conn, effect.table)
        if not valid and (relname == effect.name[-1] if effect.name else oid not in before)
    )
