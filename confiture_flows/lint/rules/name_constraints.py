"""Name constraints and indexes.

A later migration, and the way back, have to name what they drop. The name that PostgreSQL
chooses depends on the names that are taken by then.

**Anti-pattern**

```sql
ALTER TABLE orders ADD CHECK (total > 0) NOT VALID;
```

**Best practice**

```sql
ALTER TABLE orders ADD CONSTRAINT orders_total_positive CHECK (total > 0) NOT VALID;
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


def _check(said: op.AddConstraint | op.CreateIndex, scene: Scene) -> Iterator[Problem]:
    if isinstance(said, op.CreateIndex):
        if not said.name:
            yield Problem(f"The index on {said.table} has no name.", "Name it.")
    elif not said.constraint.name and said.constraint.kind is not ConstraintKind.PRIMARY_KEY:
        yield Problem(
            f"The {said.constraint.kind} constraint of {said.table} has no name.",
            "Write ADD CONSTRAINT name.",
        )


RULES = (
    Rule(
        code="CF64",
        name="naming.name_constraints",
        category="naming",
        severity=Severity.INFO,
        on=(
            op.AddConstraint,
            op.CreateIndex,
        ),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=False,
    ),
)
