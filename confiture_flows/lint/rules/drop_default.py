"""Keep the default of a NOT NULL column that programs leave out.

An INSERT that leaves the column out fails as soon as its default is gone.

**Anti-pattern**

```sql
CREATE TABLE orders (id int, paid bool NOT NULL DEFAULT false);
-- in a later migration:
ALTER TABLE orders ALTER COLUMN paid DROP DEFAULT;
```

**Best practice**

```sql
ALTER TABLE orders ALTER COLUMN paid SET DEFAULT true;
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.AlterColumn, scene: Scene) -> Iterator[Problem]:
    table = scene.table(said.table)
    column = table.columns.get(said.column) if table else None
    if said.change != "drop default" or column is None or not column.default:
        return
    made_here = table is not None and table.made_in == scene.state.migration
    added = any(
        isinstance(each, op.AddColumn)
        and each.column.name == said.column
        and scene.table(each.table) is table
        for each in scene.earlier()
    )
    rest = scene.statement.operations
    again = any(
        isinstance(each, op.AlterColumn)
        and (each.table, each.column) == (said.table, said.column)
        and each.change in ("set default", "drop not null")
        for each in (*rest[rest.index(said) + 1 :], *scene.later())
    )
    if column.not_null and not made_here and not added and not again:
        yield Problem(
            f"An INSERT that leaves {said.table}.{said.column} out fails from now on.",
            "Release programs that write it first.",
        )


RULES = (
    Rule(
        code="CF39",
        name="compat.drop_default",
        category="breaking",
        severity=Severity.WARNING,
        on=(op.AlterColumn,),
        check=_check,
        modes="H",
        doc=__doc__,
        fixable=False,
    ),
)
