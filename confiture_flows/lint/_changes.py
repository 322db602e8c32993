"""What each kind of operation does to the known state. Shared with nobody but `state.py`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from confiture_flows.lint._drops import WITHOUT_SCHEMA, drop, drop_column, drop_constraint
from confiture_flows.lint._names import constraint_name, index_name
from confiture_flows.lint._renames import follow, rename
from confiture_flows.lint._routines import columns_read, make
from confiture_flows.lint.catalog import (
    KnownIndex,
    KnownPolicy,
    KnownTable,
    KnownType,
    KnownView,
)
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import (
    ColumnSpec,
    ConstraintKind,
    ConstraintSpec,
    IndexColumn,
    ObjectName,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_flows.lint.state import KnownState

_NEVER_NULL = {ConstraintKind.PRIMARY_KEY, ConstraintKind.NOT_NULL}
_INDEXED = {ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE, ConstraintKind.EXCLUSION}


def _create_table(state: KnownState, said: op.CreateTable) -> None:
    name = state.full(said.table)
    if name in state.tables:
        return
    copied = [known for each in (*said.like, *said.inherits) if (known := state.table(each))]
    parent = state.table(said.partition_of)
    table = KnownTable(
        name=name,
        columns={each.name: each for known in copied for each in known.columns.values()}
        | (dict(parent.columns) if parent else {})
        | {each.name: each for each in said.columns},
        persistence=said.persistence,
        partition_of=state.full(said.partition_of) if said.partition_of else None,
        partitioned=said.partitioned,
        partition_key=said.partition_key,
        made_in=state.migration,
        complete=not said.from_query and not said.like,
    )
    for constraint in said.all_constraints:
        table = _with_constraint(table, _in_its_schema(state, constraint))
    state.put(_as_its_parent(table, parent) if parent else table)


def _as_its_parent(table: KnownTable, parent: KnownTable) -> KnownTable:
    """A partition with the parent's constraints and indexes; those with an index get new names."""
    for each in parent.constraints.values():
        own = replace(each, name="", using_index="") if each.kind in _INDEXED else each
        table = _with_constraint(table, own)
    for each in parent.indexes.values():
        if not each.constraint:
            name = index_name(table.name.name, each.columns, table.indexes)
            table = replace(table, indexes={**table.indexes, name: replace(each, name=name)})
    return table


def _in_its_schema(state: KnownState, said: ConstraintSpec) -> ConstraintSpec:
    """With the schema of what it points to, which the next search_path would change."""
    if said.references is None or said.references.schema:
        return said
    return replace(said, references=state.full(said.references))


def _with_constraint(table: KnownTable, said: ConstraintSpec) -> KnownTable:
    name = said.name or said.using_index or constraint_name(table, said)
    columns = said.columns
    if said.using_index and said.using_index in table.indexes:
        columns = table.indexes[said.using_index].names
    made = said
    if (name, columns) != (said.name, said.columns):
        made = replace(said, name=name, columns=columns)
    known, indexes = table.columns, table.indexes
    if said.kind in _NEVER_NULL:
        known = _not_null(known, columns)
    if said.kind in _INDEXED:
        parts = tuple(IndexColumn(each) for each in columns)
        unique = said.kind is not ConstraintKind.EXCLUSION
        indexes = {key: each for key, each in indexes.items() if key != said.using_index}
        method = said.method or "btree"
        index = KnownIndex(
            name, parts, unique, include=said.include, method=method, constraint=True
        )
        indexes[name] = index
    constraints = {**table.constraints, name: made}
    return replace(table, columns=known, constraints=constraints, indexes=indexes)


def _not_null(known: dict[str, ColumnSpec], columns: tuple[str, ...]) -> dict[str, ColumnSpec]:
    changed = {
        name: replace(known[name], not_null=True)
        for name in columns
        if name in known and not known[name].not_null
    }
    return {**known, **changed} if changed else known


def _add_column(state: KnownState, said: op.AddColumn) -> None:
    table = state.table(said.table)
    if table is None or said.column.name in table.columns:
        return
    table = replace(table, columns={**table.columns, said.column.name: said.column})
    for constraint in said.column.constraints:
        table = _with_constraint(table, _in_its_schema(state, constraint))
    state.put(table)


def _column_type(state: KnownState, said: op.AlterColumnType) -> None:
    _change_column(state, said.table, said.column, lambda old: replace(old, type=said.type))


def _alter_column(state: KnownState, said: op.AlterColumn) -> None:
    changes: dict[str, dict[str, object]] = {
        "set default": {"default": said.default},
        "drop default": {"default": None},
        "set not null": {"not_null": True},
        "drop not null": {"not_null": False},
        "add identity": {"identity": "by default", "not_null": True},
        "drop identity": {"identity": ""},
        "drop expression": {"generated": "", "generation": None},
    }
    change = changes.get(said.change)
    if change:
        _change_column(state, said.table, said.column, lambda old: replace(old, **change))


def _change_column(
    state: KnownState, name: ObjectName, column: str, change: Callable[[ColumnSpec], ColumnSpec]
) -> None:
    table = state.table(name)
    if table and column in table.columns:
        new = change(table.columns[column])
        state.put(replace(table, columns={**table.columns, column: new}))


def _add_constraint(state: KnownState, said: op.AddConstraint) -> None:
    if table := state.table(said.table):
        state.put(_with_constraint(table, _in_its_schema(state, said.constraint)))


def _alter_constraint(state: KnownState, said: op.AlterConstraint) -> None:
    table = state.table(said.table)
    if table is None or said.name not in table.constraints:
        return
    if said.change == "validate":
        valid = replace(table.constraints[said.name], valid=True)
        state.put(replace(table, constraints={**table.constraints, said.name: valid}))
    elif said.change == "drop":
        drop_constraint(state, said)


def _alter_table(state: KnownState, said: op.AlterTable) -> None:
    table = state.table(said.table)
    if table and said.change in ("enable row security", "disable row security"):
        state.put(replace(table, row_security=said.change.startswith("enable")))
    elif table and said.change in ("set logged", "set unlogged"):
        logged = said.change == "set logged"
        state.put(replace(table, persistence="permanent" if logged else "unlogged"))


def _change_partition(state: KnownState, said: op.ChangePartition) -> None:
    if partition := state.table(said.partition):
        parent = state.full(said.table) if said.change == "attach" else None
        state.put(replace(partition, partition_of=parent))


def _create_index(state: KnownState, said: op.CreateIndex) -> None:
    known = state.table(said.table) or state.views.get(state.full(said.table))
    if known is None:
        return
    name = said.name or index_name(known.name.name, said.columns, known.indexes)
    if name in known.indexes:
        return
    index = KnownIndex(
        name,
        said.columns,
        said.unique,
        said.where.sql if said.where else "",
        said.include,
        said.method,
        condition=said.where.columns if said.where else (),
    )
    if isinstance(known, KnownTable):
        state.put(replace(known, indexes={**known.indexes, name: index}))
    else:
        state.views[known.name] = replace(known, indexes={**known.indexes, name: index})


def _create_trigger(state: KnownState, said: op.CreateTrigger) -> None:
    state.called_by_triggers.add(state.full(said.function))
    if table := state.table(said.table):
        state.put(replace(table, triggers={**table.triggers, said.name: state.full(said.function)}))


def _policy(state: KnownState, said: op.WritePolicy) -> None:
    table = state.table(said.table)
    if table and not said.alter:
        read = [each for each in (said.using, said.check) if each]
        policy = KnownPolicy(
            said.name,
            said.roles,
            tuple(name for each in read for name in each.columns),
            tuple(state.full(name) for each in read for name in each.tables),
            tuple(name for each in read for name in each.functions),
        )
        state.put(replace(table, policies={**table.policies, said.name: policy}))


def _create_view(state: KnownState, said: op.CreateView) -> None:
    name = state.full(said.view)
    state.views[name] = KnownView(
        name,
        tuple(state.full(each) for each in said.reads),
        frozenset(columns_read(state, said)),
        said.functions,
        said.materialized,
        made_in=state.migration,
    )


def _create_type(state: KnownState, said: op.CreateType) -> None:
    name = state.full(said.name)
    constrained = bool(said.constraints)
    state.types[name] = KnownType(name, said.type_kind, said.values, said.base, constrained)


def _add_value(state: KnownState, said: op.AddEnumValue) -> None:
    known = state.types.get(state.full(said.name))
    if known and said.value not in known.values:
        state.types[known.name] = replace(known, values=(*known.values, said.value))


def _sequence(state: KnownState, said: op.WriteSequence) -> None:
    # What belongs to a column goes with it, as the sequence of a serial does.
    if said.owned_by:
        state.objects.discard(("sequence", state.full(said.name)))
    elif not said.alter:
        state.objects.add(("sequence", state.full(said.name)))


def _create_object(state: KnownState, said: op.CreateObject) -> None:
    plain = said.object_kind in WITHOUT_SCHEMA
    state.objects.add((said.object_kind, said.name if plain else state.full(said.name)))


def _move(state: KnownState, said: op.AlterObject) -> None:
    table = state.table(said.name)
    if said.change == "schema" and said.object_kind == "table" and table:
        del state.tables[table.name]
        moved = ObjectName(said.value, table.name.name)
        state.put(replace(table, name=moved))
        follow(state, table.name, moved)


def _grant(state: KnownState, said: op.Grant) -> None:
    # Who takes one right away may have left others.
    if said.object_kind != "table" or said.default or (said.revoke and said.privileges):
        return
    names = said.objects
    if said.everywhere:
        schemas = {each.name for each in said.objects}
        names = tuple(each for each in state.tables if each.schema in schemas)
    for name in names:
        if table := state.table(name):
            state.put(replace(table, granted=not said.revoke))


# In these nothing is made: the first is there for hardly anybody, the others are PostgreSQL's own.
_NEVER_WRITTEN = ("$user", "pg_catalog", "pg_temp", "")


def _setting(state: KnownState, said: op.Setting) -> None:
    if said.name != "search_path":
        return
    if said.value is None:
        state.schema = state.home
        return
    path = (each.strip().strip('"') for each in said.value.split(","))
    state.schema = next((each for each in path if each not in _NEVER_WRITTEN), state.schema)


# Each change is made only for operations of its own class.
CHANGES: dict[type[op.Operation], Callable[..., None]] = {
    op.AddColumn: _add_column,
    op.AddConstraint: _add_constraint,
    op.AddEnumValue: _add_value,
    op.AlterColumn: _alter_column,
    op.AlterColumnType: _column_type,
    op.AlterConstraint: _alter_constraint,
    op.AlterObject: _move,
    op.AlterTable: _alter_table,
    op.ChangePartition: _change_partition,
    op.CreateFunction: make,
    op.CreateIndex: _create_index,
    op.CreateObject: _create_object,
    op.CreateTable: _create_table,
    op.CreateTrigger: _create_trigger,
    op.CreateType: _create_type,
    op.CreateView: _create_view,
    op.DropColumn: drop_column,
    op.DropObject: drop,
    op.Grant: _grant,
    op.RenameObject: rename,
    op.Setting: _setting,
    op.WritePolicy: _policy,
    op.WriteSequence: _sequence,
}
