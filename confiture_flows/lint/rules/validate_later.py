"""Validate later what was added as NOT VALID.

NOT VALID is half of the way: rows that were there before may still break the constraint, and
the planner does not count on it. Told when a later migration exists and none validates it.
`lint --fix` writes a new migration that does, after all others; sqlfluff, which sees one file,
leaves that to it.

**Anti-pattern**

```sql
ALTER TABLE orders ADD CONSTRAINT paid CHECK (total >= 0) NOT VALID;
```

**Best practice**

```sql
-- 0042
ALTER TABLE orders ADD CONSTRAINT paid CHECK (total >= 0) NOT VALID;
-- 0043
ALTER TABLE orders VALIDATE CONSTRAINT paid;
```

Source: PostgreSQL docs, ALTER TABLE, ADD table_constraint NOT VALID
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.lint.script import HistoryEnd
from confiture_flows.report.finding import Severity
from confiture_flows.sql.names import quoted_name, quoted_object

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: HistoryEnd, scene: Scene) -> Iterator[Problem]:
    added = said.added
    table = scene.table(added.table)
    known = table.constraints.get(added.constraint.name) if table else None
    if known and not known.valid and known.enforced:
        table_name, name = quoted_object(added.table), quoted_name(known.name)
        yield Problem(
            f"No later migration validates {known.name} of {added.table}.",
            f"Add a migration with ALTER TABLE {added.table} VALIDATE CONSTRAINT {known.name}.",
            at=added,
            adds=f"ALTER TABLE {table_name} VALIDATE CONSTRAINT {name}",
        )


RULES = (
    Rule(
        code="CF71",
        name="constraint.validate_later",
        category="constraint",
        severity=Severity.WARNING,
        on=(HistoryEnd,),
        check=_check,
        modes="H",
        doc=__doc__,
        fixable=True,
    ),
)
