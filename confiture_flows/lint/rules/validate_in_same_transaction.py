"""Validate a constraint in another transaction than the one that adds it.

NOT VALID spares the lock only if it is let go before the rows are checked. In one transaction
the lock of ADD CONSTRAINT is held throughout VALIDATE.

**Anti-pattern**

```sql
ALTER TABLE orders ADD CONSTRAINT c CHECK (total >= 0) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT c;
```

**Best practice**

```sql
-- 0042
ALTER TABLE orders ADD CONSTRAINT c CHECK (total >= 0) NOT VALID;
-- 0043
ALTER TABLE orders VALIDATE CONSTRAINT c;
```

`--fix` lets a file run outside of a transaction that does nothing but add constraints as NOT VALID
and validate them: if one fails, what was added stays NOT VALID. Where it does something else too,
all of it has to fail or none, and only people can part it.

Source: PostgreSQL docs, ALTER TABLE, VALIDATE CONSTRAINT
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._steps import commit_one_by_one
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.work import work_of

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.AlterConstraint, scene: Scene) -> Iterator[Problem]:
    if said.change != "validate" or scene.new(said.table):
        return
    for each in scene.before():
        if not isinstance(each, op.AddConstraint) or each.table != said.table:
            continue
        if each.constraint.name == said.name:
            yield Problem(
                f"{said.name} is validated under the lock of the statement that adds it.",
                "Move VALIDATE CONSTRAINT to a migration of its own.",
                table=said.table,
                lock=work_of(each).strongest,
                edits=commit_one_by_one(scene),
            )
            return


RULES = (
    Rule(
        code="CF15",
        name="safety.validate_in_same_transaction",
        category="locks",
        severity=Severity.ERROR,
        on=(op.AlterConstraint,),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=True,
    ),
)
