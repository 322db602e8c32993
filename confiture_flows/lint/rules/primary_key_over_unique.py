"""Say PRIMARY KEY where UNIQUE NOT NULL means it.

The two keep the same promises; but replication, foreign keys and people look for the primary
key.

**Anti-pattern**

```sql
CREATE TABLE orders (id bigint NOT NULL UNIQUE);
```

**Best practice**

```sql
CREATE TABLE orders (id bigint PRIMARY KEY);
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.lint.script import End
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import ConstraintKind

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: End, scene: Scene) -> Iterator[Problem]:
    for made in scene.operations(op.CreateTable):
        table = scene.table(made.table)
        if table is None or table.primary_key or table.partition_of:
            continue
        for each in table.constraints.values():
            unique = each.kind is ConstraintKind.UNIQUE
            if unique and all(table.never_null(column) for column in each.columns):
                yield Problem(
                    f"{each.name} of {made.table} is unique and never null, and no primary key.",
                    "Make it the primary key.",
                    at=made,
                )


RULES = (
    Rule(
        code="CF57",
        name="design.primary_key_over_unique",
        category="design",
        severity=Severity.INFO,
        on=(End,),
        check=_check,
        modes="H",
        doc=__doc__,
        fixable=False,
    ),
)
