"""conn + a statement whose end nobody saw -> whether it took effect, and what it left behind.

A statement outside transactions may go on when its run is killed, and one that fails may
leave half of its work. The catalog is noted before it starts and looked at after.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from confiture_flows.sql.effects import Effect, EffectKind

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.sql.effects import Name, Shape

Noted = dict[str, Any]  # what JSON can hold

# Of one table, of one schema, or of all. Last: whether another session works on the table (a
# concurrent build or rebuild holds that lock as long as its index is invalid).
_INDEXES = """
SELECT i.indexrelid::bigint, c.relname, i.indisvalid,
    pg_catalog.format('%%I.%%I', n.nspname, c.relname),
    am.amname, i.indisunique, i.indpred IS NOT NULL,
    ARRAY(
        SELECT a.attname::text FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k (n, at)
        LEFT JOIN pg_catalog.pg_attribute AS a
            ON k.n <> 0 AND a.attrelid = i.indrelid AND a.attnum = k.n
        ORDER BY k.at
    ),
    EXISTS (
        SELECT FROM pg_catalog.pg_locks AS l
        WHERE l.locktype = 'relation' AND l.relation = i.indrelid
            AND l.mode = 'ShareUpdateExclusiveLock' AND l.pid <> pg_catalog.pg_backend_pid()
            AND l.database = (
                SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()
            )
    )
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_am AS am ON am.oid = c.relam
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE (%(schema)s::text = '' OR n.nspname = %(schema)s) AND (
    %(table)s::text = '' OR i.indrelid = (
        SELECT coalesce(pg_catalog.max(x.indrelid), pg_catalog.to_regclass(%(table)s))
        FROM pg_catalog.pg_index AS x WHERE x.indexrelid = pg_catalog.to_regclass(%(table)s)
    )
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


class _Index(NamedTuple):
    oid: int
    relname: str
    valid: bool
    name: str  # with its schema, quoted
    method: str
    unique: bool
    partial: bool
    columns: list[str | None]
    in_use: bool

    @property
    def shape(self) -> Shape:
        return self.method, self.unique, self.partial, tuple(self.columns)


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
            return {"indexes": [index.oid for index in _indexes(conn, effect.table)]}
        case EffectKind.REBUILDS_INDEXES:
            there = _indexes(conn, effect.name, effect.schema)
            return {"invalid": [index.oid for index in there if not index.valid]}
        case EffectKind.DROPS_INDEX:
            # By its oid: a name may mean another index when this one is gone.
            query = "SELECT pg_catalog.to_regclass(%s)::oid::bigint"
            row = conn.execute(query.encode(), (quoted(effect.name),)).fetchone()
            return {"oid": row[0] if row else None}
        case EffectKind.DROPS | EffectKind.CREATES:
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
        case EffectKind.DROPS_INDEX:
            oid = noted.get("oid")
            query = "SELECT 1 FROM pg_catalog.pg_class WHERE oid = %s"
            gone = conn.execute(query.encode(), (oid,)).fetchone() is None
            return Verdict(oid is not None and gone)
        case EffectKind.DROPS:
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
    new = _built(conn, effect, noted)
    if len(new) > 1 or any(index.in_use and not index.valid for index in new):
        return Verdict(took_effect=None)  # without a name of its own, it may be somebody else's
    invalid = tuple(index.name for index in new if not index.valid)
    return Verdict(bool(new) and not invalid, _dropping(invalid), invalid)


def _built(conn: Connection, effect: Effect, noted: Noted) -> list[_Index]:
    """The indexes that were not there before and may be the one that a statement builds."""
    before = set(noted.get("indexes", ()))
    return [
        index
        for index in _indexes(conn, effect.table)
        if index.oid not in before
        and (index.relname == effect.name[-1] if effect.name else index.shape == effect.shape)
    ]


def _judge_rebuild(conn: Connection, effect: Effect, noted: Noted) -> Verdict:
    """It is simply run again; what a broken one leaves are copies with a name of their own."""
    before = set(noted.get("invalid", ()))
    left = tuple(
        index.name
        for index in _indexes(conn, effect.name, effect.schema)
        if not index.valid
        and not index.in_use
        and index.oid not in before
        and index.relname.rstrip("0123456789").endswith(("_ccnew", "_ccold"))
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


def _indexes(conn: Connection, name: Name, schema: str = "") -> list[_Index]:
    """The indexes of a table, or of the table that an index belongs to; or of a schema, or all."""
    rows = conn.execute(_INDEXES, {"table": quoted(name), "schema": schema})
    return [_Index(*row) for row in rows]


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
    if effect.name:
        there = [i for i in _indexes(conn, effect.table) if i.relname == effect.name[-1]]
    else:
        there = _built(conn, effect, noted)
    return tuple(index.name for index in there if not index.valid)
