"""Keep primary keys to four columns.

Each foreign key repeats all columns of the key it points to, and so does each index on it.

**Anti-pattern**

```sql
CREATE TABLE t (a int, b int, c int, d int, e int, PRIMARY KEY (a, b, c, d, e));
```

**Best practice**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, a int, b int, c int, d int, e int, UNIQUE (a, b, c, d, e));
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import ConstraintKind

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDEST = 4


def _check(said: op.CreateTable | op.AddConstraint, scene: Scene) -> Iterator[Problem]:
    given = said.all_constraints if isinstance(said, op.CreateTable) else (said.constraint,)
    for each in given:
        if each.kind is ConstraintKind.PRIMARY_KEY and len(each.columns) > WIDEST:
            yield Problem(
                f"The primary key of {said.table} has {len(each.columns)} columns.",
                "Number the rows, and keep the columns unique by a constraint.",
            )


RULES = (
    Rule(
        code="CF58",
        name="design.narrow_primary_key",
        category="design",
        severity=Severity.INFO,
        on=(
            op.CreateTable,
            op.AddConstraint,
        ),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=False,
    ),
)
