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

from itertools import takewhile
from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.lint.severity import Duration
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import IN_FUNCTION, LockMode, ObjectName
from confiture_flows.sql.work import work_of

if TYPE_CHECKING:
    from collections.abc import Iterator


def _held_by_statement(scene: Scene, said: op.Operation, name: ObjectName) -> bool:
    """Whether an earlier part of the same statement locks the table."""
    parts = scene.statement.operations
    earlier = takewhile(lambda each: each is not said, parts)
    return any(lock.name == name for each in earlier for lock in work_of(each).locks)


def _held(scene: Scene, name: ObjectName, mode: LockMode) -> bool:
    """Whether the transaction holds a lock on a table that is as strong already."""
    return any(
        lock.name == name and lock.mode.strength >= mode.strength
        for _, lock in scene.locks_before()
    )


def _check(
    said: op.TableOperation | op.LockTable | op.DropObject | op.Truncate, scene: Scene
) -> Iterator[Problem]:
    if said.inside is IN_FUNCTION:
        return
    locks = scene.script.locks[scene.number]
    wanted = {
        lock.name: lock.mode
        for each, lock in locks
        if each is said and lock.object_kind == "table" and lock.mode.blocks_writes
    }
    for name, mode in wanted.items():
        first = scene.script.first_lock(name)
        if first is None or first >= scene.number or scene.new(name):
            continue
        if _held_by_statement(scene, said, name):
            continue
        if other := _locked_between(scene, name, mode):
            if not _held(scene, name, mode):
                yield Problem(
                    f"{name} is locked more strongly after {other}: "
                    "two sessions may wait for one another.",
                    "Take the stronger lock first, or part the changes into migrations.",
                    table=name,
                    lock=mode,
                    duration=Duration.METADATA,
                )
            return


def _locked_between(scene: Scene, name: ObjectName, mode: LockMode) -> ObjectName | None:
    """The last other table that was locked after the transaction had locked one more weakly."""
    last: ObjectName | None = None
    for each, lock in scene.locks_before():
        if each.inside is IN_FUNCTION or lock.object_kind != "table":
            continue
        if lock.name != name:
            if last is None and lock.mode.blocks_writes and not scene.new(lock.name):
                last = lock.name
        elif last and LockMode.ACCESS_SHARE.strength < lock.mode.strength < mode.strength:
            return last
    return None


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
