"""Rebuild indexes concurrently.

REINDEX keeps writers out of the table, and readers out of the index, until the new index is
there. REINDEX CONCURRENTLY (PostgreSQL 12) builds it beside the old one.

**Anti-pattern**

```sql
REINDEX TABLE orders;
```

**Best practice**

```sql
REINDEX TABLE CONCURRENTLY orders;
```

Source: PostgreSQL docs, REINDEX
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._edits import insert_after
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.Maintain, scene: Scene) -> Iterator[Problem]:
    if said.command != "reindex" or said.concurrently or said.object_kind == "system":
        return
    table = next((each for each in said.names if said.object_kind == "table"), None)
    if scene.new(table):
        return
    edits = (
        insert_after(scene, said, said.object_kind, " CONCURRENTLY") if not scene.own_begin else ()
    )
    # REINDEX DATABASE names none since PostgreSQL 16: it is the one of the connection.
    what = f"{said.object_kind} {said.names[0]}".rstrip()
    yield Problem(
        f"Writes wait while the {what} is reindexed.",
        "Write REINDEX ... CONCURRENTLY.",
        table=table,
        edits=edits,
    )


RULES = (
    Rule(
        code="CF03",
        name="safety.require_concurrent_reindex",
        category="locks",
        severity=Severity.ERROR,
        on=(op.Maintain,),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=True,
    ),
)
