"""A statement that runs outside transactions -> what it changes in the catalog. Pure.

Asked only of a statement whose end nobody saw: whoever knows what it was to change can look
whether it did.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from confiture_flows.sql.relations import TableName as Name
from confiture_flows.sql.relations import table_name

if TYPE_CHECKING:
    from collections.abc import Callable

Shape = tuple[str, bool, bool, tuple[str | None, ...]]


class EffectKind(Enum):
    """What a statement is about."""

    BUILDS_INDEX = "builds an index"
    DROPS_INDEX = "drops an index"
    REBUILDS_INDEXES = "rebuilds indexes"
    DETACHES_PARTITION = "detaches a partition"
    CREATES = "creates something of the cluster"
    DROPS = "drops something of the cluster"
    REPEATABLE = "does the same when it runs twice"
    UNKNOWN = "nobody can tell"


@dataclass(frozen=True, slots=True)
class Effect:
    """What a statement changes.

    Attributes:
        kind: The sort of change.
        name: Of the index, partition, database, tablespace or subscription, or of what a rebuild
            is about; empty for an index that PostgreSQL names itself, and for a whole database.
        table: The table that the index or the partition belongs to.
        catalog: The system catalog that lists a thing of the cluster.
        schema: The schema that a rebuild is limited to.
        shape: Of an index: access method, whether it is unique, whether it is partial, and its
            columns, None for an expression.
    """

    kind: EffectKind
    name: Name = ()
    table: Name = ()
    catalog: str = ""
    schema: str = ""
    shape: Shape = ("", False, False, ())


def effect_of(sql: str) -> Effect:
    """What one statement changes; `UNKNOWN` when only a person can tell whether it did.

    Args:
        sql: A statement that PostgreSQL's parser has accepted.
    """
    import postgast

    try:
        (raw,) = postgast.parse(sql).stmts
    except (postgast.PgQueryError, ValueError):
        return Effect(EffectKind.UNKNOWN)  # written down by a program that knew more syntax
    kind = raw.stmt.WhichOneof("node")
    reader = _READERS.get(kind)
    return reader(getattr(raw.stmt, kind)) if reader else Effect(EffectKind.UNKNOWN)


def _parts(nodes: Any) -> Name:
    return tuple(node.string.sval for node in nodes)


def _index(statement: Any) -> Effect:
    name = (statement.idxname,) if statement.idxname else ()
    parts = (*statement.index_params, *statement.index_including_params)
    columns = tuple(part.index_elem.name or None for part in parts)
    partial = statement.HasField("where_clause")
    shape = (statement.access_method or "btree", statement.unique, partial, columns)
    return Effect(EffectKind.BUILDS_INDEX, name, table_name(statement.relation), shape=shape)


def _drop(statement: Any) -> Effect:
    if not statement.concurrent or len(statement.objects) != 1:
        return Effect(EffectKind.UNKNOWN)
    return Effect(EffectKind.DROPS_INDEX, _parts(statement.objects[0].list.items))


def _reindex(statement: Any) -> Effect:
    if statement.HasField("relation"):
        return Effect(EffectKind.REBUILDS_INDEXES, table_name(statement.relation))
    whole = statement.DESCRIPTOR.fields_by_name["kind"].enum_type
    is_schema = whole.values_by_number[statement.kind].name == "REINDEX_OBJECT_SCHEMA"
    return Effect(EffectKind.REBUILDS_INDEXES, schema=statement.name if is_schema else "")


def _alter_table(statement: Any) -> Effect:
    for command in statement.cmds:
        partition = getattr(command.alter_table_cmd, "def").partition_cmd  # a Python keyword
        if partition.concurrent:
            return Effect(
                EffectKind.DETACHES_PARTITION,
                table_name(partition.name),
                table_name(statement.relation),
            )
    return Effect(EffectKind.UNKNOWN)


def _named(kind: EffectKind, field: str, catalog: str) -> Callable[[Any], Effect]:
    return lambda statement: Effect(kind, (getattr(statement, field),), catalog=catalog)


def _repeatable(_statement: Any) -> Effect:
    return Effect(EffectKind.REPEATABLE)


_READERS: dict[str, Callable[[Any], Effect]] = {
    "index_stmt": _index,
    "drop_stmt": _drop,
    "reindex_stmt": _reindex,
    "alter_table_stmt": _alter_table,
    "createdb_stmt": _named(EffectKind.CREATES, "dbname", "pg_database"),
    "dropdb_stmt": _named(EffectKind.DROPS, "dbname", "pg_database"),
    "create_table_space_stmt": _named(EffectKind.CREATES, "tablespacename", "pg_tablespace"),
    "drop_table_space_stmt": _named(EffectKind.DROPS, "tablespacename", "pg_tablespace"),
    "create_subscription_stmt": _named(EffectKind.CREATES, "subname", "pg_subscription"),
    "drop_subscription_stmt": _named(EffectKind.DROPS, "subname", "pg_subscription"),
    "alter_subscription_stmt": _repeatable,
    "alter_database_stmt": _repeatable,
    "alter_system_stmt": _repeatable,
    "cluster_stmt": _repeatable,
    "discard_stmt": _repeatable,
    "vacuum_stmt": _repeatable,
}
