"""Another type for a new column, as edits of the script's text. Shared by the rules about types.

The type of a column that is there is never mended: that writes its table anew.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from confiture_flows.lint._names import free_name
from confiture_flows.lint.rule import TextEdit
from confiture_flows.sql import operation as op
from confiture_flows.sql.names import quoted_name
from confiture_flows.sql.parts import Inside
from confiture_flows.sql.words import words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confiture_flows.lint.rule import Scene
    from confiture_flows.sql.parts import ColumnSpec

_ZONES = {("without", "time", "zone"), ("with", "time", "zone")}
_STRINGS = {"varchar", "character", "char", "nchar", "bpchar"}
# What has to stand right behind a type.
_BOUND_TO_TYPE = {"[", "array", "storage", "compression", "options"}
# The name, the type, its precision in parentheses, and the words about the zone.
_LONGEST = 8


def retyped(types: Mapping[str, str]) -> Callable[[Scene, op.Operation, str], tuple[TextEdit, ...]]:
    """What writes another type for a column: `replace_type` with these types."""
    return lambda scene, said, column: replace_type(scene, said, column, types)


def replace_type(
    scene: Scene, said: op.Operation, column: str, types: Mapping[str, str]
) -> tuple[TextEdit, ...]:
    """Write another type for a column; its precision stays.

    Args:
        scene: The statement.
        said: What makes the column.
        column: Its name with its table, as `written_types` gives it.
        types: What a type becomes, by the one word that it is written as.
    """
    words = _type_words(scene, said, column)
    if not words or words[0][0].lower() not in types:
        return ()
    name, start, end = words[0]
    edits = [TextEdit(start, end, types[name.lower()])]
    rest = words[4:] if len(words) > 3 and words[1][0] == "(" and words[3][0] == ")" else words[1:]
    if tuple(word.lower() for word, _, _ in rest[:3]) in _ZONES:
        before = words[len(words) - len(rest) - 1][2]
        edits.append(TextEdit(before, rest[2][2], ""))
    return tuple(edits)


def text_of_length(scene: Scene, said: op.Operation, column: str) -> tuple[TextEdit, ...]:
    """Write text and a CHECK of its length for a char or varchar of a table that is empty.

    Where rows are, the CHECK would read them all.
    """
    spec = _column(said, column)
    made = isinstance(said, op.CreateTable) or (
        isinstance(said, op.AddColumn) and scene.new(said.table)
    )
    words = _type_words(scene, said, column)
    plain = [word.lower() for word, _, _ in words]
    at = 1 if plain[:1] == ["national"] else 0
    if spec is None or not made or plain[at : at + 1] == [] or plain[at] not in _STRINGS:
        return ()
    at += 2 if plain[at + 1 : at + 2] == ["varying"] else 1
    at += 3 if plain[at : at + 1] == ["("] else 0
    if set(plain[at : at + 1]) & _BOUND_TO_TYPE:
        return ()
    text = "text"
    if spec.type.modifiers:
        table = said.table.name  # pyright: ignore[reportAttributeAccessIssue]
        name = quoted_name(free_name(table, spec.name, "length", ()))
        limit = spec.type.modifiers[0]
        text += f" CONSTRAINT {name} CHECK (length({quoted_name(spec.name)}) <= {limit})"
    return (TextEdit(words[0][1], words[at - 1][2], text),)


def double_precision(scene: Scene, said: op.Operation, column: str) -> tuple[TextEdit, ...]:
    """Write double precision for a real, which any real can be without loss."""
    words = _type_words(scene, said, column)
    plain = [word.lower() for word, _, _ in words]
    if plain[:2] == ["float", "("]:
        return (TextEdit(words[0][1], words[3][2], "double precision"),)
    return replace_type(
        scene, said, column, {"real": "double precision", "float4": "double precision"}
    )


def remove_precision(scene: Scene, said: op.Operation, column: str) -> tuple[TextEdit, ...]:
    """Take the parentheses behind a type of one word out."""
    words = _type_words(scene, said, column)
    if len(words) < 4 or (words[1][0], words[3][0]) != ("(", ")"):
        return ()
    return (TextEdit(words[1][1], words[3][2], ""),)


def _type_words(scene: Scene, said: op.Operation, column: str) -> list[tuple[str, int, int]]:
    """The words behind the column's name, with their places in the script."""
    spec = _column(said, column)
    if spec is None or said.inside is not Inside.SCRIPT or spec.generated:
        return []
    shift = spec.offset - scene.statement.start
    if not 0 < shift < len(scene.statement.sql):
        return []
    words = words_of(scene.statement.sql)
    first = bisect_left(words, shift, key=lambda word: word[1])
    offset = scene.statement.start
    return [
        (word, start + offset, end + offset)
        for word, start, end in words[first + 1 : first + _LONGEST]
    ]


def _column(said: op.Operation, column: str) -> ColumnSpec | None:
    match said:
        case op.CreateTable(columns=columns, table=table):
            return next((each for each in columns if f"{table}.{each.name}" == column), None)
        case op.AddColumn(column=added):
            return added
        case _:
            return None
