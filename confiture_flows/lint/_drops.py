"""What DROP does to the known state: the object goes, and what cannot stay without it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from confiture_flows.lint._renames import without
from confiture_flows.lint._routines import ROUTINES, unmake

if TYPE_CHECKING:
    from collections.abc import Callable

    from confiture_flows.lint.catalog import KnownTable
    from confiture_flows.lint.state import KnownState
    from confiture_flows.sql import operation as op
    from confiture_flows.sql.parts import ObjectName

_TABLES = ("table", "foreign table")
_VIEWS = ("view", "materialized view")
# Those of one name are one object, whichever schema is searched.
WITHOUT_SCHEMA = {"schema", "extension", "role", "database", "publication", "language"}


def drop(state: KnownState, said: op.DropObject) -> None:
    """DROP of an object."""
    name, kind = state.full(said.name), said.object_kind
    if said.cascade and kind in (*_TABLES, *_VIEWS):
        _drop_readers(state, name)
    if kind in _TABLES:
        _drop_table(state, name)
    elif kind in _VIEWS:
        state.views.pop(name, None)
    elif kind in ("type", "domain"):
        state.types.pop(name, None)
    elif kind in ROUTINES:
        unmake(state, said)
        if name in state.functions:
            return  # another of that name
    elif kind == "index":
        if found := state.index(said.name):
            table = found[0]
            state.put(replace(table, indexes=without(table.indexes, said.name.name)))
    elif kind == "schema":
        _drop_schema(state, said.name.name)
    elif table := state.table(said.table):
        if kind == "trigger":
            state.put(replace(table, triggers=without(table.triggers, said.name.name)))
        elif kind == "policy":
            state.put(replace(table, policies=without(table.policies, said.name.name)))
    # DROP ROUTINE says of neither kind which it is.
    for each in ROUTINES if kind == "routine" else (kind,):
        state.objects.discard((each, said.name if kind in WITHOUT_SCHEMA else name))


def drop_column(state: KnownState, said: op.DropColumn) -> None:
    """ALTER TABLE ... DROP COLUMN; without CASCADE it fails where somebody else needs it."""
    table = state.table(said.table)
    if table is None:
        return
    gone = said.column
    kept = {name: each for name, each in table.constraints.items() if gone not in each.columns}
    indexes = {
        name: each
        for name, each in table.indexes.items()
        if gone not in each.names
        and gone not in each.include
        and gone not in each.condition
        and not any(part.expression and gone in part.expression.columns for part in each.columns)
    }
    columns = {name: each for name, each in table.columns.items() if name != gone}
    state.put(replace(table, columns=columns, constraints=kept, indexes=indexes))
    if said.cascade:
        _drop_keys(state, table, lambda referenced: gone in referenced)
        for view in tuple(state.views.values()):
            if (table.name, gone) in view.columns and state.views.pop(view.name, None):
                _drop_readers(state, view.name)


def drop_constraint(state: KnownState, said: op.AlterConstraint) -> None:
    """ALTER TABLE ... DROP CONSTRAINT, with the index that belongs to it."""
    table = state.table(said.table)
    if table is None or said.name not in table.constraints:
        return
    columns = set(table.constraints[said.name].columns)
    constraints = without(table.constraints, said.name)
    indexes = without(table.indexes, said.name)
    belonged = len(indexes) < len(table.indexes)
    state.put(replace(table, constraints=constraints, indexes=indexes))
    if said.cascade and belonged:
        _drop_keys(state, table, lambda referenced: set(referenced) == columns)


def _drop_table(state: KnownState, name: ObjectName) -> None:
    """A table, its partitions, and the foreign keys that point to it."""
    if (table := state.tables.pop(name, None)) is None:
        return
    _drop_keys(state, table, lambda _: True)
    if table.partitioned:
        for each in [each.name for each in state.tables.values() if each.partition_of == name]:
            _drop_table(state, each)


def _drop_keys(
    state: KnownState, table: KnownTable, meant: Callable[[tuple[str, ...]], bool]
) -> None:
    """The foreign keys to a table, of those columns of it that are meant."""
    primary = table.primary_key.columns if table.primary_key else ()
    for other in tuple(state.tables.values()):
        kept = {
            name: key
            for name, key in other.constraints.items()
            if key.references is None
            or state.full(key.references) != table.name
            or not meant(key.referenced or primary)
        }
        if len(kept) < len(other.constraints):
            state.put(replace(other, constraints=kept))


def _drop_readers(state: KnownState, name: ObjectName) -> None:
    for view in [each for each in state.views.values() if name in each.reads]:
        if state.views.pop(view.name, None):
            _drop_readers(state, view.name)


def _drop_schema(state: KnownState, schema: str) -> None:
    for holder in (state.tables, state.views, state.types, state.functions):
        for name in [each for each in holder if each.schema == schema]:
            del holder[name]
    state.objects -= {each for each in state.objects if each[1].schema == schema}
