"""Add UNIQUE constraints by an index that was built concurrently.

ADD UNIQUE builds its index under ACCESS EXCLUSIVE. Build a unique index concurrently and add
the constraint with USING INDEX, which takes a moment.

**Anti-pattern**

```sql
ALTER TABLE users ADD CONSTRAINT users_email UNIQUE (email);
```

**Best practice**

```sql
CREATE UNIQUE INDEX CONCURRENTLY users_email ON users (email);
ALTER TABLE users ADD CONSTRAINT users_email UNIQUE USING INDEX users_email;
```

Source: PostgreSQL docs, ALTER TABLE, ADD table_constraint_using_index
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._steps import take_index_over
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import ConstraintKind

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.AddConstraint | op.AddColumn, scene: Scene) -> Iterator[Problem]:
    given = said.column.constraints if isinstance(said, op.AddColumn) else (said.constraint,)
    if scene.empty(said.table):
        return
    for each in given:
        if each.kind is ConstraintKind.UNIQUE and not each.using_index:
            yield Problem(
                f"Nobody can use {said.table} while the index of the UNIQUE constraint is built.",
                "Build a unique index CONCURRENTLY, then ADD CONSTRAINT ... UNIQUE USING INDEX.",
                table=said.table,
                edits=take_index_over(scene, said, each, said.table),
            )


RULES = (
    Rule(
        code="CF16",
        name="safety.unique_constraint_using_index",
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
