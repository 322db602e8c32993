"""Know which keys and indexes go with a dropped column.

DROP COLUMN silently drops each index and constraint that the column is a part of: a UNIQUE of
two columns is gone when one of them is, and duplicates come in.

**Anti-pattern**

```sql
CREATE TABLE prices (shop int, item int, UNIQUE (shop, item));
-- in a later migration:
ALTER TABLE prices DROP COLUMN shop;
```

**Best practice**

```sql
ALTER TABLE prices DROP CONSTRAINT prices_shop_item_key;
ALTER TABLE prices DROP COLUMN shop; -- noqa: CF27
```

Source: PostgreSQL docs, ALTER TABLE, DROP COLUMN
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import ConstraintKind

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.DropColumn, scene: Scene) -> Iterator[Problem]:
    table = scene.table(said.table)
    if table is None or table.made_in == scene.state.migration:
        return
    again = set(_made_again(said, scene))
    kinds = (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE, ConstraintKind.FOREIGN_KEY)
    lost = [
        each.name
        for each in table.constraints.values()
        if each.name not in again
        and each.kind in kinds
        and said.column in each.columns
        and len(each.columns) > 1
    ]
    unique = bool(lost) or any(
        each.name not in again
        and each.unique
        and said.column in each.names
        and len(each.columns) > 1
        for each in table.indexes.values()
    )
    lost += [
        each.name
        for each in table.indexes.values()
        if each.name not in again
        and said.column in each.names
        and len(each.columns) > 1
        and not each.constraint
    ]
    if lost:
        yield Problem(
            f"With {said.column} of {said.table} also go: {', '.join(lost)}.",
            "Drop them by name first, and make what still has to hold anew.",
            severity=None if unique else Severity.WARNING,
        )


def _made_again(said: op.DropColumn, scene: Scene) -> Iterator[str]:
    """The names of keys and indexes that the script makes anew."""
    rest = scene.statement.operations
    for each in (*rest[rest.index(said) + 1 :], *scene.later_on(said.table)):
        if isinstance(each, op.AddConstraint):
            yield each.constraint.name
        elif isinstance(each, op.CreateIndex):
            yield each.name


RULES = (
    Rule(
        code="CF33",
        name="compat.drop_column_of_key",
        category="breaking",
        severity=Severity.ERROR,
        on=(op.DropColumn,),
        check=_check,
        modes="H",
        doc=__doc__,
        fixable=False,
    ),
)
