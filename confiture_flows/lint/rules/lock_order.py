"""Lock tables in one order within a transaction.

Two transactions that lock the same two tables in different orders wait for one another until
PostgreSQL ends one of them. A migration that comes back to a table, after another, with a
stronger lock than before, invites that. Of orders that differ between transactions tells CF4E.

**Anti-pattern**

```sql
LOCK TABLE a IN SHARE MODE;
ALTER TABLE b ADD COLUMN x int;
ALTER TABLE a ADD COLUMN x int;
```

**Best practice**

```sql
LOCK TABLE a IN ACCESS EXCLUSIVE MODE;
ALTER TABLE b ADD COLUMN x int;
ALTER TABLE a ADD COLUMN x int;
```

Source: PostgreSQL docs, Explicit Locking, Deadlocks
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.lint.severity import Duration
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import Inside, LockMode, ObjectName
from confiture_flows.sql.work import work_of

if TYPE_CHECKING:
    from collections.abc import Iterator


def _held_by_statement(scene: Scene, said: op.Operation, name: ObjectName) -> bool:
    """Whether an earlier part of the same statement locks the table."""
    for each in scene.statement.operations:
        if each is said:
            return False
        if any(lock.name == name for lock in work_of(each).locks):
            return True
    return False


def _held(scene: Scene, name: ObjectName, mode: LockMode) -> bool:
    """Whether the transaction holds a lock on a table that is as strong already."""
    return any(
        lock.name == name and lock.mode.strength >= mode.strength
        for each in scene.before()
        for lock in work_of(each).locks
    )


def _check(
    said: op.TableOperation | op.LockTable | op.DropObject | op.Truncate, scene: Scene
) -> Iterator[Problem]:
    if said.inside is Inside.FUNCTION:
        return
    wanted = {lock.name: lock.mode for lock in work_of(said).locks if lock.object_kind == "table"}
    for name, mode in wanted.items():
        if not mode.blocks_writes or scene.new(name) or _held_by_statement(scene, said, name):
            continue
        if not any(lock.name == name for each in scene.before() for lock in work_of(each).locks):
            continue
        others: list[ObjectName] = []
        for each in scene.before():
            for lock in () if each.inside is Inside.FUNCTION else work_of(each).locks:
                if lock.object_kind != "table" or scene.new(lock.name):
                    continue
                if lock.name != name and lock.mode.blocks_writes:
                    others.append(lock.name)
                weaker = lock.mode.strength < mode.strength
                if (
                    lock.name == name
                    and weaker
                    and others
                    and lock.mode is not LockMode.ACCESS_SHARE
                ):
                    if not _held(scene, name, mode):
                        yield Problem(
                            f"{name} is locked more strongly after {others[0]}: "
                            "two sessions may wait for one another.",
                            "Take the stronger lock first, or part the changes into migrations.",
                            table=name,
                            lock=mode,
                            duration=Duration.METADATA,
                        )
                    return


RULES = (
    Rule(
        code="CF23",
        name="safety.lock_order",
        category="locks",
        severity=Severity.WARNING,
        on=(
            op.TableOperation,
            op.LockTable,
            op.DropObject,
            op.Truncate,
        ),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=False,
    ),
)
