"""A dropped column -> the keys and indexes that go with it. Shared by the rules on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import ConstraintKind

if TYPE_CHECKING:
    from collections.abc import Iterator

PRIMARY_KEY, UNIQUE, FOREIGN_KEY, INDEX = "primary key", "unique", "foreign key", "index"
_OF_CONSTRAINTS = {
    ConstraintKind.PRIMARY_KEY: PRIMARY_KEY,
    ConstraintKind.UNIQUE: UNIQUE,
    ConstraintKind.FOREIGN_KEY: FOREIGN_KEY,
}


class _Lost(NamedTuple):
    """A key or index, its kind, and whether it has no other column."""

    kind: str
    name: str
    alone: bool = False


class _Made(NamedTuple):
    """What the script makes later: its name, its columns if it is a key, whether of the table."""

    name: str
    columns: tuple[str, ...]
    primary: bool


def lost_key_rule(
    code: str,
    name: str,
    kind: str,
    message: str,
    *,
    doc: str | None,
    severity: Severity = Severity.ERROR,
) -> Rule:
    """A rule about what goes silently with a dropped column.

    Args:
        code: Of the rule.
        name: Of the rule.
        kind: One of this module's kinds.
        message: What is true; {column}, {table} and {names} stand for them.
        doc: The module's docstring.
        severity: Of the rule.
    """

    def check(said: op.DropColumn, scene: Scene) -> Iterator[Problem]:
        lost = [each for each in _lost(said, scene) if each.kind == kind]
        if lost:
            names = ", ".join(each.name for each in lost)
            # Whoever drops the only column of a key knows that the key goes.
            alone = all(each.alone for each in lost)
            yield Problem(
                message.format(column=said.column, table=said.table, names=names),
                "Drop it by name first, and make what still has to hold anew.",
                severity=Severity.WARNING if alone else None,
            )

    return Rule(
        code=code,
        name=name,
        category="breaking",
        severity=severity,
        on=(op.DropColumn,),
        check=check,
        modes="H",
        doc=doc,
    )


def _lost(said: op.DropColumn, scene: Scene) -> Iterator[_Lost]:
    """The keys and indexes that the column is a part of."""
    table = scene.table(said.table)
    if table is None or table.made_in == scene.state.migration:
        return
    made = tuple(_made_later(said, scene))
    again = {each.name for each in made}

    def lives_on(columns: tuple[str, ...]) -> bool:
        # Whoever makes a key with what is left of the columns knows what goes.
        left = {each for each in columns if each != said.column}
        return any(each.columns and left <= set(each.columns) for each in made)

    for each in table.constraints.values():
        kind = _OF_CONSTRAINTS.get(each.kind)
        if kind is None or said.column not in each.columns or each.name in again:
            continue
        if kind == PRIMARY_KEY:
            if not any(other.primary for other in made):
                yield _Lost(kind, each.name, len(each.columns) == 1)
        elif len(each.columns) > 1 and (kind == FOREIGN_KEY or not lives_on(each.columns)):
            yield _Lost(kind, each.name)
    for each in table.indexes.values():
        if said.column not in each.names or len(each.columns) < 2 or each.constraint:
            continue
        if each.name not in again and not lives_on(each.names):
            yield _Lost(UNIQUE if each.unique else INDEX, each.name)


def _made_later(said: op.DropColumn, scene: Scene) -> Iterator[_Made]:
    """The keys and indexes that the script makes after the column has gone."""
    rest = scene.statement.operations
    for each in (*rest[rest.index(said) + 1 :], *scene.later_on(said.table)):
        if isinstance(each, op.AddConstraint):
            primary = each.constraint.kind is ConstraintKind.PRIMARY_KEY
            key = primary or each.constraint.kind is ConstraintKind.UNIQUE
            yield _Made(each.constraint.name, each.constraint.columns if key else (), primary)
        elif isinstance(each, op.AddColumn):
            for constraint in each.column.constraints:
                primary = constraint.kind is ConstraintKind.PRIMARY_KEY
                yield _Made(constraint.name, (), primary)
        elif isinstance(each, op.CreateIndex):
            names = tuple(part.name for part in each.columns)
            yield _Made(each.name, names if each.unique and each.where is None else (), False)
