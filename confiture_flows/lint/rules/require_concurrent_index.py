"""Build indexes on tables with rows concurrently.

CREATE INDEX takes a SHARE lock: every INSERT, UPDATE and DELETE waits until the whole table has
been read and sorted. CONCURRENTLY reads it twice and lets writers work. An index on a table
that is made in the same set of migrations, or on a partitioned table, where CONCURRENTLY is
refused, is no finding.

**Anti-pattern**

```sql
CREATE INDEX orders_user ON orders (user_id);
```

**Best practice**

```sql
CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);
```

Source: PostgreSQL docs, CREATE INDEX, Building Indexes Concurrently
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._edits import insert_after
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.CreateIndex, scene: Scene) -> Iterator[Problem]:
    table = scene.table(said.table)
    if said.concurrently or scene.empty(said.table) or (table and table.partitioned):
        return
    if scene.state.full(said.table) in scene.state.views and table is None:
        return
    words = "UNIQUE INDEX" if said.unique else "INDEX"
    edits = () if scene.own_begin else insert_after(scene, said, words, " CONCURRENTLY")
    yield Problem(
        f"Writes to {said.table} wait while the index {said.name or 'on it'} is built.",
        "Write CREATE INDEX CONCURRENTLY; it runs outside of a transaction, which is recognised.",
        table=said.table,
        edits=edits,
    )


RULES = (
    Rule(
        code="CF01",
        name="safety.require_concurrent_index",
        category="locks",
        severity=Severity.ERROR,
        on=(op.CreateIndex,),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=True,
    ),
)
