"""What functions and views read, for the rules about what is dropped. Shared with `state.py`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from confiture_flows.lint.catalog import KnownFunction
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.lint.state import KnownState
    from confiture_flows.sql.parts import ObjectName

ROUTINES = ("function", "procedure", "routine")


def make(state: KnownState, said: op.CreateFunction) -> None:
    """CREATE FUNCTION; another of the same name and arguments is replaced."""
    name = state.full(said.name)
    made = KnownFunction(name, said.arguments, said.returns, said.body, said.sets)
    # The last one made stands last, for `touch`.
    known = state.functions.pop(name, ())
    others = (each for each in known if each.arguments != said.arguments)
    state.functions[name] = (*others, made)
    state.objects.add(("procedure" if said.procedure else "function", name))


def of_triggers(known: KnownFunction) -> bool:
    """Whether only a trigger can call a function."""
    returned = known.returns.name.name if known.returns else ""
    return returned in ("trigger", "event_trigger")


def unmake(state: KnownState, said: op.DropObject) -> None:
    """DROP FUNCTION; where the arguments tell no single one, all of that name."""
    name = state.full(said.name)
    known = state.functions.get(name, ())
    left = tuple(each for each in known if each.arguments != said.arguments)
    if said.arguments is None or len(left) == len(known):
        left = ()
    if left:
        state.functions[name] = left
    else:
        state.functions.pop(name, None)
    if said.cascade:
        for table in tuple(state.tables.values()):
            kept = {key: called for key, called in table.triggers.items() if called != name}
            if len(kept) < len(table.triggers):
                state.put(replace(table, triggers=kept))


def touch(state: KnownState, said: op.Operation) -> None:
    """A statement in the body of the function that was made last."""
    name = next(reversed(state.functions), None)
    tables = {state.full(each) for each in _tables(said)}
    if name and tables:
        *others, last = state.functions[name]
        state.functions[name] = (*others, replace(last, touches=last.touches | tables))


def _tables(said: op.Operation) -> Iterator[ObjectName]:
    match said:
        case op.ModifyData(table=table, reads=reads):
            yield table
            yield from reads
        case op.Query(reads=reads):
            yield from reads
        case op.TableOperation(table=table):
            yield table
        case _:
            return


def columns_read(state: KnownState, said: op.CreateView) -> Iterator[tuple[ObjectName, str]]:
    """The columns of tables that a view reads, as far as its query and the history tell."""
    tables = [known for each in said.reads if (known := state.table(each))]
    for name, column in said.columns:
        of = [known] if name and (known := state.table(name)) else [] if name else tables
        if column == "*":
            yield from ((table.name, each) for table in of for each in table.columns)
            continue
        having = [table.name for table in of if column in table.columns]
        if len(having) == 1:  # a name without a table may be of any of several
            yield having[0], column
