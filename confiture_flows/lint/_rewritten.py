"""Rules about statements that write a whole table anew. Shared by the rules on rewrites."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confiture_flows.sql.parts import ColumnSpec, ObjectName

_ELSEWHERE = "Do it outside of migrations, with a tool that works beside the traffic."
# What has no rows of its own: such a setting is for the partitions that are made later.
_OF_PARTITIONS = {"set tablespace", "set access method"}


def added_column_rule(
    code: str,
    name: str,
    kind: str,
    wrong: Callable[[ColumnSpec], bool],
    next_step: str,
    *,
    doc: str | None,
) -> Rule:
    """A rule about new columns whose values are computed for each row that exists.

    Args:
        code: Of the rule.
        name: Of the rule.
        kind: What such a column is called.
        wrong: Whether a column is one.
        next_step: What to do about it.
        doc: The module's docstring.
    """

    def check(said: op.AddColumn, scene: Scene) -> Iterator[Problem]:
        if wrong(said.column) and not scene.empty(said.table):
            yield Problem(
                f"{said.table} is written anew for the {kind} column {said.column.name}.",
                next_step,
                table=said.table,
            )

    return Rule(
        code=code,
        name=name,
        category="rewrite",
        severity=Severity.ERROR,
        on=(op.AddColumn,),
        check=check,
        modes="SH",
        doc=doc,
    )


def maintenance_rule(code: str, name: str, command: str, *, doc: str | None) -> Rule:
    """A rule about a command that copies tables, or all tables of the database.

    Args:
        code: Of the rule.
        name: Of the rule.
        command: As `Maintain` has it.
        doc: The module's docstring.
    """

    def check(said: op.Maintain, scene: Scene) -> Iterator[Problem]:
        if said.command == command and not (said.names and all(map(scene.new, said.names))):
            yield _copied(command, said.names)

    return Rule(
        code=code,
        name=name,
        category="locks",
        severity=Severity.ERROR,
        on=(op.Maintain,),
        check=check,
        modes="SH",
        doc=doc,
    )


def moved_table_rule(code: str, name: str, changes: tuple[str, ...], *, doc: str | None) -> Rule:
    """A rule about ALTER TABLE that copies the table.

    Args:
        code: Of the rule.
        name: Of the rule.
        changes: As `AlterTable` has them.
        doc: The module's docstring.
    """

    def check(said: op.AlterTable, scene: Scene) -> Iterator[Problem]:
        if said.change not in changes or said.object_kind not in ("table", "materialized view"):
            return
        if not scene.new(said.table) and not _keeps_its_rows(said, scene):
            yield _copied(said.change, (said.table,))

    return Rule(
        code=code,
        name=name,
        category="locks",
        severity=Severity.ERROR,
        on=(op.AlterTable,),
        check=check,
        modes="SH",
        doc=doc,
    )


def _copied(what: str, names: tuple[ObjectName, ...]) -> Problem:
    shown = ", ".join(map(str, names)) or "each table of the database"
    return Problem(
        f"{what.upper()} writes {shown} anew while nobody can read it.",
        _ELSEWHERE,
        table=names[0] if names else None,
    )


def _keeps_its_rows(said: op.AlterTable, scene: Scene) -> bool:
    table = scene.table(said.table)
    if table is None:
        return False
    if said.change in _OF_PARTITIONS:
        return bool(table.partitioned)
    return said.change.removeprefix("set ") == table.persistence.replace("permanent", "logged")
