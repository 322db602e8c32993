"""What a new name does to the known state: whatever mentions the old one follows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from confiture_flows.sql.parts import ObjectName

if TYPE_CHECKING:
    from confiture_flows.lint.catalog import KnownTable
    from confiture_flows.lint.state import KnownState
    from confiture_flows.sql import operation as op
    from confiture_flows.sql.parts import ColumnSpec, Expression

_Value = TypeVar("_Value")
# ALTER TABLE renames views too.
_VIEWS = ("view", "materialized view", "table")


def without(mapping: dict[str, _Value], name: str) -> dict[str, _Value]:
    """A mapping without one of its names."""
    return {key: value for key, value in mapping.items() if key != name}


def rename(state: KnownState, said: op.RenameObject) -> None:
    """ALTER ... RENAME."""
    name = state.full(said.name)
    table = state.tables.get(name)
    if said.object_kind in _VIEWS and (view := state.views.pop(name, None)):
        renamed = ObjectName(name.schema, said.new)
        state.views[renamed] = replace(view, name=renamed)
        follow(state, name, renamed)
    elif said.object_kind == "table" and table:
        del state.tables[name]
        renamed = ObjectName(name.schema, said.new)
        state.put(replace(table, name=renamed))
        follow(state, name, renamed)
    elif said.object_kind == "column" and table and said.old in table.columns:
        state.put(_renamed_column(table, said.old, said.new))
        _follow_column(state, name, said.old, said.new)
    elif said.object_kind == "constraint" and table and said.old in table.constraints:
        made = replace(table.constraints[said.old], name=said.new)
        constraints = {**without(table.constraints, said.old), said.new: made}
        indexes = table.indexes
        if said.old in indexes:
            moved = replace(indexes[said.old], name=said.new)
            indexes = {**without(indexes, said.old), said.new: moved}
        state.put(replace(table, constraints=constraints, indexes=indexes))
    elif said.object_kind == "index" and (found := state.index(said.name)):
        owner, index = found
        moved = replace(index, name=said.new)
        indexes = {**without(owner.indexes, index.name), said.new: moved}
        state.put(replace(owner, indexes=indexes))
    elif said.object_kind == "enum value" and (known := state.types.get(name)):
        values = tuple(said.new if each == said.old else each for each in known.values)
        state.types[name] = replace(known, values=values)
    elif said.object_kind == "type" and (known := state.types.pop(name, None)):
        moved_to = ObjectName(name.schema, said.new)
        state.types[moved_to] = replace(known, name=moved_to)
        _retype(state, name, moved_to)
    elif (said.object_kind, name) in state.objects:
        state.objects.discard((said.object_kind, name))
        state.objects.add((said.object_kind, ObjectName(name.schema, said.new)))
        if known := state.functions.pop(name, None):
            renamed = ObjectName(name.schema, said.new)
            state.functions[renamed] = tuple(replace(each, name=renamed) for each in known)


def follow(state: KnownState, old: ObjectName, new: ObjectName) -> None:
    """Let whatever mentions a table or view know it under its new name."""
    for view in tuple(state.views.values()):
        if old in view.reads:
            columns = frozenset((new if of == old else of, column) for of, column in view.columns)
            read = replace(view, reads=_swapped(view.reads, old, new), columns=columns)
            state.views[view.name] = read
    for table in tuple(state.tables.values()):
        keys = {
            key.name: replace(key, references=new)
            for key in table.foreign_keys
            if key.references and state.full(key.references) == old
        }
        policies = {
            name: replace(each, reads=_swapped(each.reads, old, new))
            for name, each in table.policies.items()
            if old in each.reads
        }
        if keys or policies or table.partition_of == old:
            state.put(
                replace(
                    table,
                    constraints={**table.constraints, **keys},
                    policies={**table.policies, **policies},
                    partition_of=new if table.partition_of == old else table.partition_of,
                )
            )


def _swapped(names: tuple[_Value, ...], old: _Value, new: _Value) -> tuple[_Value, ...]:
    return tuple(new if each == old else each for each in names)


def _follow_column(state: KnownState, table: ObjectName, old: str, new: str) -> None:
    """Let views read a column, and foreign keys point to it, under its new name."""
    for view in tuple(state.views.values()):
        if (table, old) in view.columns:
            columns = view.columns - {(table, old)} | {(table, new)}
            state.views[view.name] = replace(view, columns=columns)
    for other in tuple(state.tables.values()):
        keys = {
            key.name: replace(key, referenced=_swapped(key.referenced, old, new))
            for key in other.foreign_keys
            if old in key.referenced and key.references and state.full(key.references) == table
        }
        if keys:
            state.put(replace(other, constraints={**other.constraints, **keys}))


def _retype(state: KnownState, old: ObjectName, new: ObjectName) -> None:
    """Let columns have a type under its new name."""
    for table in tuple(state.tables.values()):
        changed = {
            name: replace(each, type=replace(each.type, name=new))
            for name, each in table.columns.items()
            if not each.type.builtin and state.full(each.type.name) == old
        }
        if changed:
            state.put(replace(table, columns={**table.columns, **changed}))


def _with_column(column: ColumnSpec, old: str, new: str) -> ColumnSpec:
    """A column that is renamed, or generated from one that is."""
    if column.name == old:
        return replace(column, name=new)
    return replace(column, generation=_reading(column.generation, old, new))


def _reading(said: Expression | None, old: str, new: str) -> Expression | None:
    """What reads a column; its text stays as it was written."""
    if said is None or old not in said.columns:
        return said
    columns, never_null = (_swapped(each, old, new) for each in (said.columns, said.never_null))
    return replace(said, columns=columns, never_null=never_null)


def _renamed_column(table: KnownTable, old: str, new: str) -> KnownTable:
    return replace(
        table,
        columns={
            (new if name == old else name): _with_column(each, old, new)
            for name, each in table.columns.items()
        },
        partition_key=_swapped(table.partition_key, old, new),
        policies={
            name: replace(each, columns=_swapped(each.columns, old, new))
            for name, each in table.policies.items()
        },
        constraints={
            name: replace(
                each,
                columns=_swapped(each.columns, old, new),
                expression=_reading(each.expression, old, new),
            )
            for name, each in table.constraints.items()
        },
        indexes={
            name: replace(
                each,
                columns=tuple(
                    replace(part, name=new)
                    if part.name == old
                    else replace(part, expression=_reading(part.expression, old, new))
                    for part in each.columns
                ),
                include=_swapped(each.include, old, new),
                condition=_swapped(each.condition, old, new),
            )
            for name, each in table.indexes.items()
        },
    )
