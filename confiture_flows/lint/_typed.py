"""A rule about the types of columns, from what each of them says by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._columns import column_types
from confiture_flows.lint.rule import Problem, Rule
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confiture_flows.lint.rule import Scene, TextEdit
    from confiture_flows.report.finding import Severity
    from confiture_flows.sql.parts import TypeName

    Mend = Callable[[Scene, op.Operation, str], tuple[TextEdit, ...]]


def type_rule(
    code: str,
    name: str,
    severity: Severity,
    wrong: Callable[[TypeName], bool],
    message: str,
    next_step: str,
    *,
    doc: str | None,
    mend: Mend | None = None,
    wanted: Callable[[op.Operation, Scene], bool] | None = None,
) -> Rule:
    """A rule that judges each type that a statement writes for a column.

    Args:
        code: Of the rule.
        name: Of the rule.
        severity: Of the rule.
        wrong: Whether a type is one that it finds.
        message: What is true; {column} and {type} stand for them.
        next_step: What to do about it.
        doc: The module's docstring.
        wanted: Whether a statement chooses its types knowingly.
        mend: Gives the edits for a column, by its name with its table.
    """

    def check(
        said: op.CreateTable | op.AddColumn | op.AlterColumnType, scene: Scene
    ) -> Iterator[Problem]:
        if wanted and wanted(said, scene):
            return
        for name, kind in column_types(said):
            if not wrong(kind):
                continue
            column = f"{said.table}.{name}"
            yield Problem(
                message.format(column=column, type=kind),
                next_step,
                edits=mend(scene, said, column) if mend else (),
            )

    return Rule(
        code=code,
        name=name,
        category="types",
        severity=severity,
        on=(op.CreateTable, op.AddColumn, op.AlterColumnType),
        check=check,
        doc=doc,
        fixable=mend is not None,
    )


def built_in(*names: str) -> Callable[[TypeName], bool]:
    """Whether a type is one of these of PostgreSQL's own."""
    return lambda kind: not kind.name.schema and kind.name.name in names
