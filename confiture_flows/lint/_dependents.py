"""A known state and an object -> what PostgreSQL will not let it go without. For rules on drops.

What goes with a table or column unasked, such as its own indexes and checks, is not among it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from confiture_flows.lint._routines import of_triggers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from confiture_flows.lint.catalog import KnownFunction, KnownTable
    from confiture_flows.lint.state import KnownState
    from confiture_flows.sql.parts import Expression, ObjectName, TypeName

RELATIONS = ("table", "foreign table", "view", "materialized view")


def dependents_of_relation(state: KnownState, name: ObjectName) -> Iterator[tuple[str, ObjectName]]:
    """What reads a table or view, in words, each with the object that it is a part of."""
    for view in state.views.values():
        if name in view.reads:
            yield f"the view {view.name}", view.name
    last = name.name
    for table in state.tables.values():
        if table.name == name:
            continue
        for key in table.constraints.values():
            to = key.references
            if to and to.name == last and state.full(to) == name:
                yield f"the foreign key {key.name} of {table.name}", table.name
        for policy in table.policies.values():
            if name in policy.reads:
                yield f"the policy {policy.name} of {table.name}", table.name
    yield from _of_type(state, name)


def dependents_of_column(state: KnownState, table: KnownTable, column: str) -> Iterator[str]:
    """What reads a column."""
    for view in state.views.values():
        if (table.name, column) in view.columns:
            yield f"the view {view.name}"
    for each in table.columns.values():
        if each.generation and column in each.generation.columns and each.name != column:
            yield f"the generated column {each.name}"
    for policy in table.policies.values():
        if column in policy.columns and not policy.reads:
            yield f"the policy {policy.name}"
    last = table.name.name
    for other in state.tables.values():
        for key in other.constraints.values() if other is not table else ():
            to = key.references
            if to and to.name == last and state.full(to) == table.name:
                primary = table.primary_key.columns if table.primary_key else ()
                if column in (key.referenced or primary):
                    yield f"the foreign key {key.name} of {other.name}"


def dependents_of_function(state: KnownState, name: ObjectName) -> Iterator[tuple[str, ObjectName]]:
    """What calls a function; nothing where several have the name."""
    if len(state.functions.get(name, ())) > 1:
        return
    for view in state.views.values():
        if _calls(state, name, view.functions):
            yield f"the view {view.name}", view.name
    for table in state.tables.values():
        for trigger, called in table.triggers.items():
            if called == name:
                yield f"the trigger {trigger} of {table.name}", table.name
        for policy in table.policies.values():
            if _calls(state, name, policy.functions):
                yield f"the policy {policy.name} of {table.name}", table.name
        for what, said in _expressions(table):
            if said and _calls(state, name, said.functions):
                yield f"{what} of {table.name}", table.name


def _expressions(table: KnownTable) -> Iterator[tuple[str, Expression | None]]:
    for column in table.columns.values():
        yield f"the default of {column.name}", column.default
        yield f"the generated column {column.name}", column.generation
    for constraint in table.constraints.values():
        yield f"the constraint {constraint.name}", constraint.expression
    for index in table.indexes.values():
        for part in index.columns:
            yield f"the index {index.name}", part.expression


def dependents_of_type(state: KnownState, name: ObjectName) -> Iterator[tuple[str, ObjectName]]:
    """What has a type."""
    for known in state.types.values():
        if known.base and _is(state, known.base, name):
            yield f"the domain {known.name}", known.name
    yield from _of_type(state, name)


def _of_type(state: KnownState, name: ObjectName) -> Iterator[tuple[str, ObjectName]]:
    for table in state.tables.values():
        for column in table.columns.values():
            if _is(state, column.type, name):
                yield f"the column {column.name} of {table.name}", table.name
    for known in state.functions.values():
        for function in known:
            said = (*function.arguments, *((function.returns,) if function.returns else ()))
            if any(_is(state, each, name) for each in said):
                yield f"the function {function.name}", function.name


def _is(state: KnownState, said: TypeName, name: ObjectName) -> bool:
    if said.name.name != name.name:
        return False
    return not said.builtin and not said.serial and state.full(said.name) == name


def _calls(state: KnownState, name: ObjectName, called: Iterable[str]) -> bool:
    """Whether names of functions, lower case, are of one that is known."""
    for each in called:
        schema, _, last = each.rpartition(".")
        if last == name.name.lower() and (schema or state.schema) == name.schema:
            return True
    return False


def bodies_reading(
    state: KnownState, table: ObjectName, column: str = ""
) -> Iterator[KnownFunction]:
    """The functions whose bodies read or write a table, or name a column beside it."""
    word = rf"(?<![\w$]){re.escape(column)}(?![\w$])"
    for known in state.functions.values():
        for function in known:
            if table not in function.touches:
                continue
            if of_triggers(function) and function.name not in state.called_by_triggers:
                continue  # nothing can call it
            if not column or re.search(word, function.body, re.IGNORECASE):
                yield function
