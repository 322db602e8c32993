"""What a way back leaves behind -> the statements that it lacks, as an edit of its text. Pure.

Only what the way forward has made is taken away, and defaults, NOT NULL and row security go back to
what they were: in the opposite order, before all that the way back does or after it. What is gone,
or has another type, needs people: its rows are gone too. So does a way forward that moves rows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from confiture_flows.lint._compare import compare
from confiture_flows.lint._edits import last_place
from confiture_flows.lint.rule import TextEdit
from confiture_flows.sql import operation as op
from confiture_flows.sql.names import quoted_name, quoted_object
from confiture_flows.sql.operations import operations_of, read_once
from confiture_flows.sql.parts import Inside

if TYPE_CHECKING:
    from confiture_flows.lint.catalog import KnownTable
    from confiture_flows.lint.state import KnownState
    from confiture_flows.sql.operations import ReadStatement
    from confiture_flows.sql.parts import ObjectName

_SEMICOLON = re.compile(r"\s*;")
_MOVES_ROWS = (op.ModifyData, op.Query, op.Truncate, op.RenameObject)
_VIEWS = ("view", "materialized view")


class WayThere(NamedTuple):
    """A way forward, what there was before it and is after it, and after the way back."""

    before: KnownState
    after: KnownState
    undone: KnownState
    statements: tuple[ReadStatement, ...]


def missing_statements(way: WayThere, back: str) -> tuple[TextEdit, ...]:
    """What makes a way back undo the way forward.

    Args:
        way: What it has to undo.
        back: The text of the way back.

    Returns:
        The edit; none where nobody can tell that it would undo all and lose nothing.
    """
    done = (each for statement in way.statements for each in statement.operations)
    forward = [*enumerate(each for each in done if each.inside is not Inside.FUNCTION)]
    if not way.before.complete or any(_may_lose(each) for _, each in forward):
        return ()
    taken = read_once(back)
    steps = [each for statement in taken for each in statement.operations]
    last = _undo(way, forward, way.undone)
    if last is None:
        return ()
    # What was made later goes first; so both have to be on one side.
    dropped = [n for n, each in forward if _made(way.after, each) & _dropped(way.after, steps)]
    if not dropped or last.numbers[-1] < min(dropped):
        return _behind(back, taken[-1], last.said)
    if last.numbers[0] > max(dropped):
        first = _undo(way, forward, way.after, then=steps)
        if first is not None:
            start = taken[0].start
            return (TextEdit(start, start, "".join(f"{each};\n" for each in first.said)),)
    return ()


class _Undone(NamedTuple):
    """What was said, the last first, and the numbers of the operations that it undoes."""

    said: list[str]
    numbers: list[int]


def _undo(
    way: WayThere,
    forward: list[tuple[int, op.Operation]],
    start: KnownState,
    then: list[op.Operation] | None = None,
) -> _Undone | None:
    """The opposite of what is left, from the last to the first; None where it does not do."""
    found, left = _Undone([], []), way.undone.snapshot()
    state = start.snapshot()
    for number, each in reversed(forward):
        statement = _opposite(each, way.before, left)
        if statement is None:
            continue
        found.said.append(statement)
        found.numbers.insert(0, number)
        for known in (left, state):
            for step in operations_of(statement):
                known.apply(step)
    for each in then or ():
        state.apply(each)
    return found if found.said and not compare(way.before, state) else None


def _behind(text: str, last: ReadStatement, said: list[str]) -> tuple[TextEdit, ...]:
    """Behind the last statement, which may have no semicolon yet."""
    lines = "\n".join(f"{each};" for each in said)
    if end := _SEMICOLON.match(text, last.end):
        return (TextEdit(end.end(), end.end(), f"\n{lines}"),)
    place = last_place(last)
    return (TextEdit(place, place, f";\n{lines.removesuffix(';')}"),)


def _may_lose(each: op.Operation) -> bool:
    """Whether rows are moved, or nobody can tell what is made, and that it was not there before."""
    if isinstance(each, _MOVES_ROWS) or (isinstance(each, op.CreateTable) and each.from_query):
        return True
    if isinstance(each, op.Setting) and each.name == "search_path":
        return True  # a name means something else in the way back
    return bool(getattr(each, "if_not_exists", False) or getattr(each, "replace", False))


def _opposite(each: op.Operation, before: KnownState, left: KnownState) -> str | None:
    """What undoes an operation whose result is still there."""
    match each:
        case op.CreateTable(table=table) if left.table(table) and not before.table(table):
            return f"DROP TABLE {quoted_object(table)}"
        case op.CreateView(view=view) if left.full(view) in left.views.keys() - before.views.keys():
            kind = "MATERIALIZED VIEW" if each.materialized else "VIEW"
            return f"DROP {kind} {quoted_object(view)}"
        case op.CreateType(name=name) if left.full(name) in left.types.keys() - before.types.keys():
            return (
                f"DROP {'DOMAIN' if each.type_kind == 'domain' else 'TYPE'} {quoted_object(name)}"
            )
        case op.CreateFunction(name=name):
            kind = "procedure" if each.procedure else "function"
            alone = len(left.functions.get(left.full(name), ())) == 1
            if alone and _is_new((kind, left.full(name)), before, left):
                return f"DROP {kind.upper()} {quoted_object(name)}"
        case op.WriteSequence(name=name, alter=False) if _is_new(
            ("sequence", left.full(name)), before, left
        ):
            return f"DROP SEQUENCE {quoted_object(name)}"
        case op.CreateObject(object_kind="schema", name=name) if _is_new(
            ("schema", name), before, left
        ):
            return f"DROP SCHEMA {quoted_name(name.name)}"
        case op.TableOperation(table=name):
            old, new = before.table(name), left.table(name)
            if old and new:
                return _opposite_of_part(each, old, new)
    return None


def _is_new(key: tuple[str, ObjectName], before: KnownState, left: KnownState) -> bool:
    return key in left.objects and key not in before.objects


def _opposite_of_part(each: op.TableOperation, old: KnownTable, new: KnownTable) -> str | None:
    """What undoes a change of a table that was there before."""
    table = quoted_object(each.table)
    match each:
        case op.AddColumn(column=column) if column.name in new.columns.keys() - old.columns.keys():
            return f"ALTER TABLE {table} DROP COLUMN {quoted_name(column.name)}"
        case op.AddConstraint(constraint=said):
            names = [
                known.name
                for known in new.constraints.values()
                if known.name not in old.constraints
                and (known.kind, known.columns) == (said.kind, said.columns)
                and said.name in ("", known.name)
            ]
            if len(names) == 1:
                return f"ALTER TABLE {table} DROP CONSTRAINT {quoted_name(names[0])}"
        case op.CreateIndex(columns=columns, name=name):
            names = [
                known.name
                for known in new.indexes.values()
                if known.name not in old.indexes
                and (name in ("", known.name))
                and known.columns == columns
            ]
            if len(names) == 1:
                return f"DROP INDEX {quoted_object(each.table._replace(name=names[0]))}"
        case op.CreateTrigger(name=name) if name in new.triggers.keys() - old.triggers.keys():
            return f"DROP TRIGGER {quoted_name(name)} ON {table}"
        case op.WritePolicy(name=name) if name in new.policies.keys() - old.policies.keys():
            return f"DROP POLICY {quoted_name(name)} ON {table}"
        case op.AlterTable() if new.row_security != old.row_security:
            how = "ENABLE" if old.row_security else "DISABLE"
            return f"ALTER TABLE {table} {how} ROW LEVEL SECURITY"
        case op.AlterColumn(column=column) if column in old.columns.keys() & new.columns.keys():
            change = _opposite_of_change(each, old, new)
            return (
                f"ALTER TABLE {table} ALTER COLUMN {quoted_name(column)} {change}"
                if change
                else None
            )
        case _:
            return None
    return None


def _opposite_of_change(each: op.AlterColumn, old: KnownTable, new: KnownTable) -> str | None:
    """What makes a column what it was, where that cannot fail."""
    was, now = old.columns[each.column], new.columns[each.column]
    if each.change == "set not null" and now.not_null and not was.not_null:
        return "DROP NOT NULL"
    if each.change in ("set default", "drop default") and now.default != was.default:
        return f"SET DEFAULT {was.default.sql}" if was.default else "DROP DEFAULT"
    return None


def _made(state: KnownState, each: op.Operation) -> set[tuple[str, ...]]:
    """What an operation makes, as far as something that drops it can be told apart."""
    match each:
        case op.CreateTable(table=name) | op.CreateView(view=name):
            return {state.full(name)}
        case op.CreateType(name=name) | op.CreateFunction(name=name) | op.WriteSequence(name=name):
            return {state.full(name)}
        case op.CreateObject(name=name):
            return {(name.name,)}
        case op.AddColumn(table=name, column=column):
            return {(*state.full(name), column.name)}
        case op.AddConstraint(table=name, constraint=constraint):
            return {(*state.full(name), constraint.name)}
        case op.CreateIndex(table=name):
            return {(state.full(name).schema, each.name)}
        case op.CreateTrigger(table=name) | op.WritePolicy(table=name):
            return {(*state.full(name), each.name)}
        case _:
            return set()


def _dropped(state: KnownState, steps: list[op.Operation]) -> set[tuple[str, ...]]:
    """What a way back drops."""
    found: set[tuple[str, ...]] = set()
    for each in steps:
        match each:
            case op.DropObject(table=None, object_kind=kind, name=name):
                found.add((name.name,) if kind == "schema" else state.full(name))
            case op.DropObject(table=table, name=name) if table is not None:
                found.add((*state.full(table), name.name))
            case op.DropColumn(table=table, column=column):
                found.add((*state.full(table), column))
            case op.AlterConstraint(table=table, name=name, change="drop"):
                found.add((*state.full(table), name))
    return found
