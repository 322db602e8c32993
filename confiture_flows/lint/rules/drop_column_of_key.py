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
    made = tuple(_made_again(said, scene))
    again = {name for name, _ in made}
    # Whoever makes a key with what is left of the columns knows what goes.
    keys = [columns for _, columns in made if columns]

    def lives_on(columns: tuple[str, ...]) -> bool:
        left = {each for each in columns if each != said.column}
        return any(left <= set(each) for each in keys)

    kinds = (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE, ConstraintKind.FOREIGN_KEY)
    lost = [
        each.name
        for each in table.constraints.values()
        if each.name not in again
        and (each.kind is ConstraintKind.FOREIGN_KEY or not lives_on(each.columns))
        and each.kind in kinds
        and said.column in each.columns
        and len(each.columns) > 1
    ]
    unique = bool(lost) or any(
        each.name not in again
        and not lives_on(each.names)
        and each.unique
        and said.column in each.names
        and len(each.columns) > 1
        for each in table.indexes.values()
    )
    lost += [
        each.name
        for each in table.indexes.values()
        if each.name not in again
        and not lives_on(each.names)
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


def _made_again(said: op.DropColumn, scene: Scene) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The names of keys and indexes that the script makes, with the columns of those of a key."""
    rest = scene.statement.operations
    for each in (*rest[rest.index(said) + 1 :], *scene.later_on(said.table)):
        if isinstance(each, op.AddConstraint):
            key = each.constraint.kind in (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE)
            yield each.constraint.name, each.constraint.columns if key else ()
        elif isinstance(each, op.CreateIndex):
            names = tuple(part.name for part in each.columns)
            yield each.name, names if each.unique and each.where is None else ()


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
