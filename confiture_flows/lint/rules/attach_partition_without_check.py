"""Give a table a valid CHECK with the bounds before it is attached as a partition.

ATTACH PARTITION reads the whole table under ACCESS EXCLUSIVE to see whether its rows are inside
the bounds. A valid CHECK constraint that says so spares the reading.

**Anti-pattern**

```sql
ALTER TABLE events ATTACH PARTITION events_2020 FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
```

**Best practice**

```sql
ALTER TABLE events_2020 ADD CONSTRAINT bounds
  CHECK (at >= '2020-01-01' AND at < '2021-01-01' AND at IS NOT NULL) NOT VALID;
ALTER TABLE events_2020 VALIDATE CONSTRAINT bounds;
ALTER TABLE events ATTACH PARTITION events_2020 FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
```

`--fix` writes these steps, and takes the CHECK away again, where the statement is alone in its
file, or runs outside of a transaction already, and the table is partitioned by the values of one
column, within constants: what an expression would be in a CHECK no program can tell.

Source: PostgreSQL docs, ALTER TABLE, ATTACH PARTITION
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._bounds import prove_bounds
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import ConstraintKind

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.ChangePartition, scene: Scene) -> Iterator[Problem]:
    if said.change != "attach" or said.default or scene.new(said.partition):
        return
    table, parent = scene.table(said.partition), scene.table(said.table)
    checks = table.constraints.values() if table else ()
    key = set(parent.partition_key) - {""} if parent else set[str]()
    # One that says nothing of the key says nothing of the bounds.
    if any(
        each.kind is ConstraintKind.CHECK and each.valid and key <= set(each.columns)
        for each in checks
    ):
        return
    yield Problem(
        f"All rows of {said.partition} are read while nobody can use it.",
        "Add a CHECK with the bounds as NOT VALID and validate it first.",
        table=said.partition,
        edits=prove_bounds(scene, said),
    )


RULES = (
    Rule(
        code="CF06",
        name="safety.attach_partition_without_check",
        category="locks",
        severity=Severity.ERROR,
        on=(op.ChangePartition,),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=True,
    ),
)
