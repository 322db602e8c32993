"""The names that a statement gives, and which of them are trouble. Shared by the rules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from confiture_flows.lint._names import LONGEST_NAME
from confiture_flows.sql import operation as op
from confiture_flows.sql.words import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

# What new_names calls the kinds of objects.
NAMED_KINDS = (
    "table",
    "column",
    "view",
    "index",
    "constraint",
    "type",
    "function",
    "sequence",
    "schema",
)
# Bytes. The parser has cut longer names already, at a whole character.
_CUT = range(60, 64)
SNAKE_CASE = re.compile(r"[a-z_][a-z0-9_$]*")
# Source: PostgreSQL docs, SQL Key Words: those that are reserved there.
_RESERVED_WORDS = """
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check
    collate collation column concurrently constraint create cross current_catalog current_date
    current_role current_schema current_time current_timestamp current_user default deferrable desc
    distinct do else end except false fetch for foreign freeze from full grant group having ilike in
    initially inner intersect into is isnull join lateral leading left like limit localtime
    localtimestamp natural not notnull null offset on only or order outer overlaps placing primary
    references returning right select session_user similar some symmetric system_user table
    tablesample then to trailing true union unique user using variadic verbose when where window
    with
"""
RESERVED = frozenset(_RESERVED_WORDS.split())


def was_cut(word: str, sql: str) -> bool:
    """Whether a name is only the beginning of what a statement has."""
    if len(word.encode()) not in _CUT:
        return False
    start = re.escape(word.replace('"', '""'))
    found = re.finditer(rf'(")?{start}(?(1)[^"]+|[\w$]+)', sql, re.IGNORECASE)
    return any(len(each[0].removeprefix('"').encode()) > LONGEST_NAME for each in found)


def cut_words(word: str, sql: str) -> Iterator[tuple[str, int, int]]:
    """What a statement has in the place of a name that was cut, as it is written, and where."""
    for written, start, end in words_of(sql):
        quoted = written.startswith('"')
        name = written[1:-1].replace('""', '"') if quoted else written.lower()
        if name != word and name.encode()[:LONGEST_NAME].decode(errors="ignore") == word:
            yield written, start, end


# The operations that give names: rules about names are asked for no other.
NAMING = (
    op.AddColumn,
    op.AddConstraint,
    op.CreateFunction,
    op.CreateIndex,
    op.CreateObject,
    op.CreateTable,
    op.CreateType,
    op.CreateView,
    op.RenameObject,
    op.WriteSequence,
)


def new_names(said: op.Operation) -> Iterator[tuple[str, str]]:
    """The kind and name of each object that a statement of `NAMING` makes or renames."""
    match said:
        case op.CreateTable(table=table, columns=columns):
            yield "table", table.name
            for column in columns:
                yield "column", column.name
            for constraint in said.all_constraints:
                if constraint.name:
                    yield "constraint", constraint.name
        case op.AddColumn(column=column):
            yield "column", column.name
        case op.AddConstraint(constraint=constraint) if constraint.name:
            yield "constraint", constraint.name
        case op.CreateIndex(name=name) if name:
            yield "index", name
        case op.CreateView(view=view):
            yield "view", view.name
        case op.CreateType(name=name):
            yield "type", name.name
        case op.CreateFunction(name=name):
            yield "function", name.name
        case op.WriteSequence(name=name, alter=False):
            yield "sequence", name.name
        case op.CreateObject(name=name, object_kind="schema" as kind):
            yield kind, name.name
        case op.RenameObject(object_kind=kind, new=new) if kind in ("table", "column", "index"):
            yield kind, new
        case _:
            return
