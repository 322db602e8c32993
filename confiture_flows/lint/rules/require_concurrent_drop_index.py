"""Drop indexes of tables with rows concurrently.

DROP INDEX takes an ACCESS EXCLUSIVE lock on the index and on its table. It is short, but it
queues behind every running query, and every later query queues behind it. Nothing is said where
the same transaction has locked the table before.

**Anti-pattern**

```sql
DROP INDEX orders_user;
```

**Best practice**

```sql
DROP INDEX CONCURRENTLY orders_user;
```

Source: PostgreSQL docs, DROP INDEX
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._edits import insert_after
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import Inside, LockMode
from confiture_flows.sql.work import work_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.sql.parts import ObjectName


def _check(said: op.DropObject, scene: Scene) -> Iterator[Problem]:
    if said.object_kind != "index" or said.concurrently or said.cascade:
        return
    found = scene.state.index(said.name)
    if found and (scene.new(found[0].name) or found[0].partitioned or found[1].constraint):
        return
    if found and any(_locks(each, found[0].name, scene) for each in scene.before()):
        return  # everybody waits already
    one = len(scene.statement.operations) == 1 and not scene.own_begin
    yield Problem(
        f"Dropping the index {said.name} locks its table against reads and writes.",
        "Write DROP INDEX CONCURRENTLY.",
        table=found[0].name if found else None,
        edits=insert_after(scene, said, "INDEX", " CONCURRENTLY") if one else (),
    )


def _locks(each: op.Operation, table: ObjectName, scene: Scene) -> bool:
    """Whether an operation locks a table against reads and writes."""
    return each.inside is not Inside.FUNCTION and any(
        lock.mode is LockMode.ACCESS_EXCLUSIVE
        and lock.object_kind == "table"
        and scene.state.full(lock.name) == table
        for lock in work_of(each).locks
    )


RULES = (
    Rule(
        code="CF02",
        name="safety.require_concurrent_drop_index",
        category="locks",
        severity=Severity.WARNING,
        on=(op.DropObject,),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=True,
    ),
)
