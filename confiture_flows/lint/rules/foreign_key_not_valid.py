"""Add foreign keys as NOT VALID and validate them later.

ADD FOREIGN KEY takes SHARE ROW EXCLUSIVE on both tables and holds it while all rows are
checked: writes to either wait. NOT VALID checks new rows only; VALIDATE CONSTRAINT lets writers
work.

**Anti-pattern**

```sql
ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users;
```

**Best practice**

```sql
ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users NOT VALID;
-- in a later migration:
ALTER TABLE orders VALIDATE CONSTRAINT orders_user;
```

Source: PostgreSQL docs, ALTER TABLE, ADD table_constraint
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._edits import insert_at_end
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.AddConstraint | op.AddColumn, scene: Scene) -> Iterator[Problem]:
    if isinstance(said, op.AddColumn):
        # The key of a new column without a default is not checked: it is null everywhere.
        if said.column.default is None or said.column.default.null:
            return
        keys = [each for each in said.column.constraints if each.references]
        edits = ()
    else:
        keys = [said.constraint] if said.constraint.references and said.constraint.valid else []
        edits = insert_at_end(scene, said, " NOT VALID")
    table = scene.table(said.table)
    if scene.empty(said.table) or (table and table.partitioned):
        return
    for key in keys:
        old = [each for each in (said.table, key.references) if each and not scene.new(each)]
        both = " and ".join(map(str, dict.fromkeys(old)))
        yield Problem(
            f"Writes to {both} wait while all rows are checked.",
            "Add the foreign key as NOT VALID, and VALIDATE it in a later migration.",
            table=said.table,
            edits=edits,
        )


RULES = (
    Rule(
        code="CF13",
        name="safety.fk_not_valid",
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
