"""Add CHECK constraints as NOT VALID and validate them later.

ADD CHECK reads the whole table under ACCESS EXCLUSIVE. NOT VALID checks new rows only; VALIDATE
CONSTRAINT lets readers and writers work.

**Anti-pattern**

```sql
ALTER TABLE orders ADD CONSTRAINT orders_total CHECK (total >= 0);
```

**Best practice**

```sql
ALTER TABLE orders ADD CONSTRAINT orders_total CHECK (total >= 0) NOT VALID;
-- in a later migration:
ALTER TABLE orders VALIDATE CONSTRAINT orders_total;
```

Source: PostgreSQL docs, ALTER TABLE, ADD table_constraint
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._edits import insert_at_end
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import ConstraintKind

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.AddConstraint | op.AddColumn, scene: Scene) -> Iterator[Problem]:
    if scene.empty(said.table):
        return
    if isinstance(said, op.AddColumn):
        checks = [each for each in said.column.constraints if each.kind is ConstraintKind.CHECK]
        edits = ()
    else:
        wanted = (ConstraintKind.CHECK, ConstraintKind.NOT_NULL)
        checks = (
            [said.constraint] if said.constraint.kind in wanted and said.constraint.valid else []
        )
        edits = insert_at_end(scene, said, " NOT VALID")
    for _check in checks:
        yield Problem(
            f"Nobody can use {said.table} while all of its rows are checked.",
            "Add the constraint as NOT VALID, and VALIDATE it in a later migration.",
            table=said.table,
            edits=edits,
        )


RULES = (
    Rule(
        code="CF14",
        name="safety.check_not_valid",
        category="locks",
        severity=Severity.ERROR,
        on=(
            op.AddConstraint,
            op.AddColumn,
        ),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=True,
    ),
)
