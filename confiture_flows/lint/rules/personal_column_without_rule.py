"""Give a column that looks personal a column rule.

An anonymized copy takes a column without a rule as it is: a column that is added later takes
people's data out with it. Which columns look personal is told by their names and types, those of
the table and of the columns beside it; what `allow` of [anonymization] names is left alone, and so
are foreign keys, which follow the rule of what they refer to. Silent where the configuration has no
[anonymization].
`confiture-flows detect` also looks at rows, and proposes rules.

**Anti-pattern**

```sql
ALTER TABLE customers ADD COLUMN email text;
```

**Best practice**

```sql
-- with the rule "public.customers.phone" = "phone" in [anonymization.columns]
ALTER TABLE customers ADD COLUMN phone text;
```

Source: docs/guides/personal-data.md
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from confiture_flows.anonymization.detect import (
    around_all,
    looks_personal,
    proposed_strategy,
)
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import ConstraintKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.anonymization.detect import Around
    from confiture_flows.sql.parts import ColumnSpec, ObjectName, TypeName


def _check(
    said: op.CreateTable | op.AddColumn | op.RenameObject, scene: Scene
) -> Iterator[Problem]:
    if scene.masked is None:
        return
    made = tuple(_made(said, scene))
    if not made:
        return
    known = around_all(
        (each.name, table.name.name, each.type.name.name)
        for table in scene.state.tables.values()
        for each in table.columns.values()
    )
    # A later migration may make the table of users.
    around = replace(known, accounts=True)
    for column, kind, beside in made:
        table = said.name if isinstance(said, op.RenameObject) else said.table
        yield from _problem(scene, table, column, kind, replace(around, beside=beside - {column}))


def _made(
    said: op.CreateTable | op.AddColumn | op.RenameObject, scene: Scene
) -> Iterator[tuple[str, TypeName, frozenset[str]]]:
    """Name and type of columns that are made, and those beside them; foreign keys left out."""
    match said:
        case op.CreateTable(columns=columns) if said.persistence != "temporary":
            beside = frozenset(each.name for each in columns)
            for each in columns:
                if not _refers(each, said):
                    yield each.name, each.type, beside
        case op.AddColumn(column=column) if not _refers(column):
            yield column.name, column.type, _known(scene, said.table)
        case op.RenameObject(object_kind="column", name=table, old=old, new=new):
            known = scene.table(table)
            if known and old in known.columns:
                yield new, known.columns[old].type, _known(scene, table) - {old}
        case _:
            pass


def _known(scene: Scene, table: ObjectName) -> frozenset[str]:
    """The columns that a table has before the statement."""
    known = scene.table(table)
    return frozenset(known.columns) if known else frozenset()


def _problem(
    scene: Scene, table: ObjectName, column: str, kind: TypeName, around: Around
) -> Iterator[Problem]:
    full = scene.state.full(table)
    if any(each.matches(full.schema, full.name, column) for each in scene.masked or ()):
        return
    type_name = kind.name.name + ("[]" if kind.array else "")
    found = looks_personal(column, full.name, type_name, around=around)
    if found:
        yield Problem(
            f"{table}.{column} looks like {found.category} ({found.why}) and has no column rule.",
            f'Add "{full}.{column}" = "{proposed_strategy(found.category)}" to '
            "[anonymization.columns], or name it in anonymization.allow.",
        )


def _refers(column: ColumnSpec, table: op.CreateTable | None = None) -> bool:
    """Whether it is a foreign key."""
    of_table = table.constraints if table else ()
    return any(each.kind is ConstraintKind.FOREIGN_KEY for each in column.constraints) or any(
        each.kind is ConstraintKind.FOREIGN_KEY and column.name in each.columns for each in of_table
    )


RULES = (
    Rule(
        code="CF88",
        name="security.personal_column_without_rule",
        category="security",
        severity=Severity.WARNING,
        on=(op.CreateTable, op.AddColumn, op.RenameObject),
        check=_check,
        modes="H",
        doc=__doc__,
        fixable=False,
    ),
)
