"""Drop a column only when no released program uses it.

Programs that were released before still use it while the migration runs, and after it, until
the last of them is replaced. ORMs name all columns that they know in each SELECT. Its values
are gone for good. Where the same script gives its name to another column, which may hold the
values, nothing is said but that the type is another.

**Anti-pattern**

```sql
ALTER TABLE orders DROP COLUMN note;
```

**Best practice**

```sql
-- first release programs that do not read or write the column; then, knowingly:
ALTER TABLE orders DROP COLUMN note; -- noqa: CF27
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._types import base_type
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.sql.parts import TypeName


def _check(said: op.DropColumn, scene: Scene) -> Iterator[Problem]:
    table = scene.table(said.table)
    if scene.new(said.table) or (table and table.complete and said.column not in table.columns):
        return
    added = (each for each in scene.earlier() if isinstance(each, op.AddColumn))
    if any(each.table == said.table and each.column.name == said.column for each in added):
        return
    again = _made_again(said, scene)
    if again:
        if isinstance(again, op.AddColumn) and not again.column.generated:
            yield Problem(
                f"The values of {said.table}.{said.column} are gone: it is made anew.",
                "Change the type of the column, or fill the new one before the old is dropped.",
            )
        elif isinstance(again, op.RenameObject) and table:
            old, new = (table.columns.get(each) for each in (said.column, again.old))
            kind = _last_type(said, scene) or (new.type if new else None)
            if old and kind and base_type(old.type) != base_type(kind):
                yield Problem(
                    f"Programs find {kind} in {said.table}.{said.column} at once, "
                    f"where {old.type} was.",
                    "Release a version that can do with either first.",
                )
        return
    yield Problem(
        f"Programs that still use {said.table}.{said.column} fail, and its values are gone.",
        "Release a version that does not use it first; drop it in a later migration.",
    )


def _last_type(said: op.DropColumn, scene: Scene) -> TypeName | None:
    """What the script changes the type of the column to that takes the name."""
    types = [
        each.type
        for each in scene.later()
        if isinstance(each, op.AlterColumnType)
        and (each.table, each.column) == (said.table, said.column)
    ]
    return types[-1] if types else None


def _made_again(said: op.DropColumn, scene: Scene) -> op.Operation | None:
    """What gives the table a column of that name again in the same script."""
    rest = scene.statement.operations
    for each in (*rest[rest.index(said) + 1 :], *scene.later()):
        match each:
            case op.AddColumn(table=said.table, column=column) if column.name == said.column:
                return each
            case op.RenameObject(object_kind="column", name=said.table, new=said.column):
                return each
            case _:
                pass
    return None


RULES = (
    Rule(
        code="CF27",
        name="compat.drop_column",
        category="breaking",
        severity=Severity.WARNING,
        on=(op.DropColumn,),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=False,
    ),
)
