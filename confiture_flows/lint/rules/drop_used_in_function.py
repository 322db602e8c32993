"""Drop no table or column that a function still reads.

PostgreSQL reads the body of a function when it is called: nothing keeps a table or column in its
place, and the next call fails. Bodies in SQL and PL/pgSQL are read; of a column, its name is looked
for in the bodies that read or write its table.

**Anti-pattern**

```sql
CREATE TABLE orders (id bigint PRIMARY KEY, note text);
CREATE FUNCTION notes() RETURNS SETOF text LANGUAGE sql AS 'SELECT note FROM orders';
-- in a later migration:
ALTER TABLE orders DROP COLUMN note;
```

**Best practice**

```sql
-- in a later migration:
DROP FUNCTION notes();
ALTER TABLE orders DROP COLUMN note;
```

Source: PostgreSQL docs, Dependency Tracking
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._dependents import RELATIONS, bodies_reading
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import Inside

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.DropObject | op.DropColumn, scene: Scene) -> Iterator[Problem]:
    if said.inside is not Inside.SCRIPT:
        return
    if isinstance(said, op.DropColumn):
        what, table, column = f"{said.table}.{said.column}", said.table, said.column
    elif said.object_kind in RELATIONS:
        what, table, column = str(said.name), said.name, ""
    else:
        return
    readers = {each.name for each in bodies_reading(scene.state, scene.state.full(table), column)}
    if not readers:
        return
    readers -= {
        scene.state.full(each.name)
        for each in scene.later()
        if isinstance(each, op.CreateFunction | op.DropObject)
    }
    again = any(isinstance(each, op.CreateTable) and each.table == table for each in scene.later())
    if again and not column:
        return
    if readers:
        names = ", ".join(map(str, sorted(readers)))
        yield Problem(
            f"{what} is read by the next call of {names}, which fails.",
            "Replace or drop the function first.",
        )


RULES = (
    Rule(
        code="CF4B",
        name="compat.drop_used_in_function",
        category="breaking",
        severity=Severity.WARNING,
        on=(op.DropObject, op.DropColumn),
        check=_check,
        modes="H",
        doc=__doc__,
        fixable=False,
    ),
)
