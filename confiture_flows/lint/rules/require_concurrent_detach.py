"""Detach partitions concurrently.

DETACH PARTITION takes ACCESS EXCLUSIVE locks on the partition and on the whole partitioned
table. With CONCURRENTLY (PostgreSQL 14) the parent stays open to reads and writes. It is
refused where the table has a default partition.

**Anti-pattern**

```sql
ALTER TABLE events DETACH PARTITION events_2020;
```

**Best practice**

```sql
ALTER TABLE events DETACH PARTITION events_2020 CONCURRENTLY;
```

Source: PostgreSQL docs, ALTER TABLE, DETACH PARTITION
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._edits import insert_at_end
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.ChangePartition, scene: Scene) -> Iterator[Problem]:
    if said.change != "detach" or said.concurrently or scene.new(said.table):
        return
    yield Problem(
        f"Detaching {said.partition} locks all of {said.table} against reads and writes.",
        "Write DETACH PARTITION ... CONCURRENTLY.",
        table=said.table,
        edits=insert_at_end(scene, said, " CONCURRENTLY") if not scene.own_begin else (),
    )


RULES = (
    Rule(
        code="CF05",
        name="safety.require_concurrent_detach",
        category="locks",
        severity=Severity.WARNING,
        on=(op.ChangePartition,),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=True,
    ),
)
