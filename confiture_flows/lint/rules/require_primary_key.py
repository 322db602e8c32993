"""Give each table a primary key.

Without one a row cannot be named: logical replication cannot send its updates and deletes, and
duplicates cannot be told apart.

**Anti-pattern**

```sql
CREATE TABLE orders (note text);
```

**Best practice**

```sql
CREATE TABLE orders (id bigint PRIMARY KEY, note text);
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.lint.script import End
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: End, scene: Scene) -> Iterator[Problem]:
    for made in scene.operations(op.CreateTable):
        table = scene.table(made.table)
        if table is None or not table.complete or made.foreign:
            continue
        if table.persistence == "temporary" or table.partition_of or table.primary_key:
            continue
        yield Problem(f"{made.table} has no primary key.", "Add one.", at=made)


RULES = (
    Rule(
        code="CF55",
        name="design.require_primary_key",
        category="design",
        severity=Severity.WARNING,
        on=(End,),
        check=_check,
        modes="H",
        doc=__doc__,
        fixable=False,
    ),
)
