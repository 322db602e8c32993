"""CREATE TABLE and ALTER TABLE nodes -> operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confiture_flows.sql import _nodes as nodes
from confiture_flows.sql.operation import (
    AddColumn,
    AddConstraint,
    AlterColumn,
    AlterColumnType,
    AlterConstraint,
    AlterTable,
    ChangePartition,
    CreateIndex,
    CreateTable,
    DropColumn,
    Operation,
)
from confiture_flows.sql.parts import IN_SCRIPT, IndexColumn, Inside
from confiture_flows.sql.value import value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PERSISTENCE = {"p": "permanent", "u": "unlogged", "t": "temporary"}
_OBJECTS = {
    "OBJECT_FOREIGN_TABLE": "foreign table",
    "OBJECT_MATVIEW": "materialized view",
    "OBJECT_STATISTIC_EXT": "statistics",
    "OBJECT_TABCONSTRAINT": "constraint",
    "OBJECT_DOMCONSTRAINT": "domain constraint",
    "OBJECT_FDW": "foreign data wrapper",
    "OBJECT_FOREIGN_SERVER": "server",
}
_COLUMN_CHANGES = {
    "AT_DropNotNull": "drop not null",
    "AT_SetNotNull": "set not null",
    "AT_SetExpression": "set expression",
    "AT_DropExpression": "drop expression",
    "AT_SetStatistics": "set statistics",
    "AT_SetOptions": "set options",
    "AT_ResetOptions": "set options",
    "AT_SetStorage": "set storage",
    "AT_SetCompression": "set compression",
    "AT_AddIdentity": "add identity",
    "AT_SetIdentity": "set identity",
    "AT_DropIdentity": "drop identity",
    "AT_AlterColumnGenericOptions": "set options",
}
_CONSTRAINT_CHANGES = {
    "AT_AlterConstraint": "alter",
    "AT_ValidateConstraint": "validate",
    "AT_DropConstraint": "drop",
}
_PARTITION_CHANGES = {
    "AT_AttachPartition": "attach",
    "AT_DetachPartition": "detach",
    "AT_DetachPartitionFinalize": "finalize detach",
}
_TABLE_CHANGES = {
    "AT_ChangeOwner": "owner",
    "AT_ClusterOn": "cluster on",
    "AT_DropCluster": "set without cluster",
    "AT_SetLogged": "set logged",
    "AT_SetUnLogged": "set unlogged",
    "AT_SetAccessMethod": "set access method",
    "AT_SetTableSpace": "set tablespace",
    "AT_SetRelOptions": "set options",
    "AT_ResetRelOptions": "reset options",
    "AT_EnableTrig": "enable trigger",
    "AT_EnableAlwaysTrig": "enable trigger",
    "AT_EnableReplicaTrig": "enable trigger",
    "AT_EnableTrigAll": "enable trigger",
    "AT_EnableTrigUser": "enable trigger",
    "AT_DisableTrig": "disable trigger",
    "AT_DisableTrigAll": "disable trigger",
    "AT_DisableTrigUser": "disable trigger",
    "AT_EnableRule": "enable rule",
    "AT_EnableAlwaysRule": "enable rule",
    "AT_EnableReplicaRule": "enable rule",
    "AT_DisableRule": "disable rule",
    "AT_AddInherit": "inherit",
    "AT_DropInherit": "no inherit",
    "AT_AddOf": "of type",
    "AT_DropOf": "not of type",
    "AT_ReplicaIdentity": "replica identity",
    "AT_EnableRowSecurity": "enable row security",
    "AT_DisableRowSecurity": "disable row security",
    "AT_ForceRowSecurity": "force row security",
    "AT_NoForceRowSecurity": "no force row security",
    "AT_GenericOptions": "set options",
    "AT_DropOids": "set without oids",
}


@value()
class Stand:
    """Where a statement stands, for the operations read from it.

    Attributes:
        offset: Its first character in the text.
        line: Its first line.
        inside: The script, or a body.
        place: Turns a byte of the text into a character.
        line_of: Turns a character of the text into its line.
    """

    offset: int
    line: int
    inside: Inside
    place: Callable[[int], int]
    line_of: Callable[[int], int]

    def at(self, offset: int = 0) -> dict[str, Any]:
        """The fields of an operation; those of the whole statement where it has no place."""
        if not offset or self.inside is not IN_SCRIPT:
            return {"offset": self.offset, "line": self.line, "inside": self.inside}
        return {"offset": offset, "line": self.line_of(offset), "inside": self.inside}


def object_kind(message: Any, field: str) -> str:
    """The kind of object in an ObjectType field, in words."""
    name = nodes.enum(message, field)
    return _OBJECTS.get(name) or name.removeprefix("OBJECT_").lower().replace("_", " ")


def create_table(statement: Any, stand: Stand, *, foreign: bool = False) -> Iterator[Operation]:
    """CREATE TABLE."""
    columns, constraints, like = [], [], []
    for element in statement.table_elts:
        match element.WhichOneof("node"):
            case "column_def":
                columns.append(nodes.column(element.column_def, stand.place))
            case "constraint":
                constraints.append(nodes.constraint(element.constraint, stand.place))
            case "table_like_clause":
                like.append(nodes.relation(element.table_like_clause.relation))
    parents = tuple(nodes.relation(each.range_var) for each in statement.inh_relations)
    is_partition = statement.HasField("partbound")
    key = statement.partspec
    strategy = nodes.enum(key, "strategy") if statement.HasField("partspec") else ""
    yield CreateTable(
        table=nodes.relation(statement.relation),
        columns=tuple(columns),
        constraints=tuple(each for each in constraints if each),
        if_not_exists=statement.if_not_exists,
        persistence=_PERSISTENCE.get(statement.relation.relpersistence, "permanent"),
        inherits=() if is_partition else parents,
        like=tuple(like),
        partition_of=parents[0] if is_partition and parents else None,
        partition_key=tuple(each.partition_elem.name for each in key.part_params),
        partitioned=strategy.rpartition("_")[2].lower(),
        foreign=foreign,
        **stand.at(),
    )


def create_table_as(statement: Any, stand: Stand) -> Iterator[Operation]:
    """CREATE TABLE AS; materialized views are read elsewhere."""
    into = statement.into
    yield CreateTable(
        table=nodes.relation(into.rel),
        if_not_exists=statement.if_not_exists,
        persistence=_PERSISTENCE.get(into.rel.relpersistence, "permanent"),
        from_query=True,
        reads=nodes.tables_in(statement.query),
        **stand.at(),
    )


def select_into(statement: Any, stand: Stand) -> Iterator[Operation]:
    """SELECT INTO."""
    into = statement.into_clause.rel
    yield CreateTable(
        table=nodes.relation(into),
        persistence=_PERSISTENCE.get(into.relpersistence, "permanent"),
        from_query=True,
        reads=tuple(each for each in nodes.tables_in(statement) if each != nodes.relation(into)),
        **stand.at(),
    )


def alter_table(statement: Any, stand: Stand) -> Iterator[Operation]:
    """ALTER TABLE, a part at a time; also of views, indexes and sequences."""
    kind = object_kind(statement, "objtype")
    table = {
        "table": nodes.relation(statement.relation),
        "if_exists": statement.missing_ok,
        "only": not statement.relation.inh,
    }
    for each in statement.cmds:
        yield _command(each.alter_table_cmd, kind, table, stand)


def _command(command: Any, kind: str, table: dict[str, Any], stand: Stand) -> Operation:
    subtype = nodes.enum(command, "subtype")
    said = getattr(command, "def")  # a Python keyword
    if subtype == "AT_AddColumn":
        column = nodes.column(said.column_def, stand.place)
        where = {**table, **stand.at(column.offset)}
        return AddColumn(column=column, if_not_exists=command.missing_ok, **where)
    if subtype == "AT_AddConstraint":
        constraint = nodes.constraint(said.constraint, stand.place)
        if constraint:
            return AddConstraint(constraint=constraint, **table, **stand.at(constraint.offset))
    where = {**table, **stand.at()}
    cascade = nodes.enum(command, "behavior") == "DROP_CASCADE"
    if subtype == "AT_DropColumn":
        return DropColumn(
            column=command.name, missing_ok=command.missing_ok, cascade=cascade, **where
        )
    if subtype == "AT_AlterColumnType":
        return _column_type(command.name, said.column_def, where)
    if subtype == "AT_ColumnDefault":
        given = command.HasField("def")
        return AlterColumn(
            column=command.name,
            change="set default" if given else "drop default",
            default=nodes.expression(said) if given else None,
            **where,
        )
    if subtype in _COLUMN_CHANGES:
        return AlterColumn(column=command.name, change=_COLUMN_CHANGES[subtype], **where)
    if subtype in _CONSTRAINT_CHANGES:
        constraint = command.name or said.atalter_constraint.conname
        return AlterConstraint(
            name=constraint,
            change=_CONSTRAINT_CHANGES[subtype],
            missing_ok=command.missing_ok,
            cascade=cascade,
            **where,
        )
    if subtype in _PARTITION_CHANGES:
        return _partition(said.partition_cmd, _PARTITION_CHANGES[subtype], where)
    change = _TABLE_CHANGES.get(subtype, subtype.removeprefix("AT_"))
    return AlterTable(change=change, subject=_subject(command), object_kind=kind, **where)


def _column_type(column: str, said: Any, where: dict[str, Any]) -> Operation:
    collation = ".".join(nodes.strings(said.coll_clause.collname))
    return AlterColumnType(
        column=column,
        type=nodes.type_name(said.type_name),
        using=nodes.maybe_expression(said, "raw_default"),
        collation=collation,
        **where,
    )


def _partition(said: Any, change: str, where: dict[str, Any]) -> Operation:
    return ChangePartition(
        partition=nodes.relation(said.name),
        change=change,
        concurrently=said.concurrent,
        default=said.bound.is_default,
        **where,
    )


def _subject(command: Any) -> tuple[str, ...]:
    """What a change is about: options, a parent, an owner, a trigger."""
    said = getattr(command, "def")
    match said.WhichOneof("node"):
        case "list":
            return tuple(each.def_elem.defname for each in said.list.items)
        case "range_var":
            return (str(nodes.relation(said.range_var)),)
    if command.HasField("newowner"):
        return (nodes.role(command.newowner),)
    return (command.name,) if command.name else ()


def create_index(statement: Any, stand: Stand) -> Iterator[Operation]:
    """CREATE INDEX."""
    yield CreateIndex(
        name=statement.idxname,
        table=nodes.relation(statement.relation),
        only=not statement.relation.inh,
        columns=tuple(_index_column(each.index_elem) for each in statement.index_params),
        include=tuple(each.index_elem.name for each in statement.index_including_params),
        unique=statement.unique,
        concurrently=statement.concurrent,
        if_not_exists=statement.if_not_exists,
        method=statement.access_method or "btree",
        where=nodes.maybe_expression(statement, "where_clause"),
        nulls_equal=statement.nulls_not_distinct,
        **stand.at(),
    )


def _index_column(element: Any) -> IndexColumn:
    return IndexColumn(
        name=element.name,
        expression=None if element.name else nodes.expression(element.expr),
        descending=nodes.enum(element, "ordering") == "SORTBY_DESC",
        operators=".".join(nodes.strings(element.opclass)),
        collation=".".join(nodes.strings(element.collation)),
    )
