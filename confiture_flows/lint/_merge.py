"""Statements that change one table after one another -> one, as edits of the script's text.

PostgreSQL carries out the parts of one ALTER TABLE in an order of its own: types first, then
constraints, then NOT NULL. So only parts are put together of which none can see another.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from confiture_flows.lint._edits import altered_table, last_place
from confiture_flows.lint.rule import TextEdit
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import ConstraintKind, Inside
from confiture_flows.sql.words import words_of

if TYPE_CHECKING:
    from confiture_flows.lint.rule import Scene
    from confiture_flows.sql.operation import Operation
    from confiture_flows.sql.operations import ReadStatement

_SEMICOLON = re.compile(r"\s*;")
_HARMLESS = {"timezone"}  # what AT TIME ZONE calls


def join_to_last(scene: Scene) -> tuple[TextEdit, ...]:
    """Make this ALTER TABLE the last part of the one before it, if only comments stand between."""
    statements, number, text = scene.script.statements, scene.number, scene.script.text
    this = statements[number]
    head = _head(this)
    if scene.transaction is None or head is None:
        return ()
    parts = list(this.operations)
    first = number
    while (
        first
        and scene.script.transactions[first - 1] == scene.transaction
        and (before := _head(statements[first - 1])) is not None
        and before[0] == head[0]
    ):
        first -= 1
        parts += statements[first].operations
    last = statements[number - 1]
    end = _SEMICOLON.match(text, last.end)
    if end is None or last_place(last) != last.end:
        return ()
    if first == number or words_of(text[end.end() : this.start]):
        return ()
    if not _independent(parts):
        return ()
    indent = "  " if text[: this.start].endswith("\n") else ""
    return (
        TextEdit(last.end, end.end(), ","),
        TextEdit(this.start, this.start + head[1], indent),
    )


def _head(statement: ReadStatement) -> tuple[tuple[str, ...], int] | None:
    """ALTER TABLE and its table, word by word, and where what follows begins."""
    words = words_of(statement.sql)
    place = altered_table(words)
    if place is None or any(each.inside is not Inside.SCRIPT for each in statement.operations):
        return None
    head = (word if word.startswith('"') else word.lower() for word, _, _ in words[: place.part])
    return tuple(head), words[place.part][1]


def _independent(parts: list[Operation]) -> bool:
    """Whether they end the same, whichever comes first."""
    types = [each for each in parts if isinstance(each, op.AlterColumnType)]
    checks = [each for each in parts if isinstance(each, op.AddConstraint)]
    nulls = [each for each in parts if isinstance(each, op.AlterColumn)]
    if len(types) + len(checks) + len(nulls) < len(parts) or (types and checks):
        return False
    if any(each.change != "set not null" for each in nulls):
        return False
    if any(each.constraint.kind is not ConstraintKind.CHECK for each in checks):
        return False
    return len({each.column for each in types}) == len(types) and all(
        each.using is None
        or (set(each.using.columns) <= {each.column} and set(each.using.functions) <= _HARMLESS)
        for each in types
    )
