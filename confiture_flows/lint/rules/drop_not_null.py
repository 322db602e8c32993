"""Know that programs may meet NULL where there was none.

A program that was written for a NOT NULL column may fail on the first NULL that another writes.

**Anti-pattern**

```sql
ALTER TABLE orders ALTER COLUMN user_id DROP NOT NULL;
```

**Best practice**

```sql
ALTER TABLE orders ALTER COLUMN user_id SET DEFAULT 0;
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
    if said.change == "drop not null" and not scene.new(said.table):
        yield Problem(
            f"{said.table}.{said.column} may be null from now on; programs may not know.",
            "Release programs that can read NULL first.",
        )


RULES = (
    Rule(
        code="CF38",
        name="compat.drop_not_null",
        category="breaking",
        severity=Severity.INFO,
        on=(op.AlterColumn,),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=False,
    ),
)
