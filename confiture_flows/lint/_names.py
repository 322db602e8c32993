"""The names that PostgreSQL chooses for constraints and indexes.

Source: ChooseConstraintName, ChooseIndexName and makeObjectName in the server's source.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from confiture_flows.lint.catalog import KnownTable
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import ConstraintKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from confiture_flows.sql.parts import ConstraintSpec, IndexColumn

LONGEST_NAME = 63
_CALL = re.compile(r"(?:\w+\.)*(\w+)\(")
_ENDINGS = {
    ConstraintKind.CHECK: "check",
    ConstraintKind.EXCLUSION: "excl",
    ConstraintKind.FOREIGN_KEY: "fkey",
    ConstraintKind.NOT_NULL: "not_null",
    ConstraintKind.PRIMARY_KEY: "pkey",
    ConstraintKind.UNIQUE: "key",
}


def constraint_name(table: KnownTable, said: ConstraintSpec) -> str:
    """The name of a constraint without one."""
    primary = said.kind is ConstraintKind.PRIMARY_KEY
    middle = "" if primary else "_".join(said.columns)
    if said.kind is ConstraintKind.CHECK and len(said.columns) != 1:
        middle = ""
    return free_name(table.name.name, middle, _ENDINGS[said.kind], table.constraints)


def index_name(table: str, columns: tuple[IndexColumn, ...], taken: Collection[str]) -> str:
    """The name of an index without one."""
    return free_name(table, "_".join(map(_part_name, columns)), "idx", taken)


def chosen_names(said: op.Operation) -> Iterator[str]:
    """The names that PostgreSQL, or a tool that follows it, gives what a statement adds."""
    match said:
        case op.CreateTable(table=table):
            yield from (constraint_name(KnownTable(table), each) for each in said.all_constraints)
        case op.AddConstraint(table=table, constraint=constraint):
            yield constraint_name(KnownTable(table), constraint)
        case op.CreateIndex(table=table, columns=columns):
            middle = "_".join(map(_part_name, columns))
            yield from (free_name(table.name, middle, each, ()) for each in ("idx", "key"))
        case _:
            return


def _part_name(part: IndexColumn) -> str:
    """A call has the name of its function; another expression has none."""
    if part.name or part.expression is None:
        return part.name
    call = _CALL.match(part.expression.sql)
    return call[1] if call else "expr"


def free_name(table: str, middle: str, ending: str, taken: Collection[str]) -> str:
    """A name of three parts that nothing has, cut as PostgreSQL cuts; `middle` may be empty."""
    number = 0
    while True:
        last = f"{ending}{number or ''}"
        room = LONGEST_NAME - len(last) - 1 - (1 if middle else 0)
        first, second = table, middle
        while len(first) + len(second) > room:
            if len(first) > len(second):
                first = first[:-1]
            else:
                second = second[:-1]
        name = "_".join(part for part in (first, second, last) if part)
        if name not in taken:
            return name
        number += 1
