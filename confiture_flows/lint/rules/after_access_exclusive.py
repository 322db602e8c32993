"""Do nothing slow in a transaction that holds ACCESS EXCLUSIVE.

A lock is held until the transaction ends. An UPDATE of many rows, or an index build, after an
ALTER TABLE keeps everybody out of that table for as long as it takes.

**Anti-pattern**

```sql
ALTER TABLE orders ADD COLUMN state text;
UPDATE orders SET state = 'open';
```

**Best practice**

```sql
-- 0042
ALTER TABLE orders ADD COLUMN state text;
-- 0043, in batches
UPDATE orders SET state = 'open' WHERE id BETWEEN 1 AND 10000;
```

Source: PostgreSQL docs, Explicit Locking
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.lint.severity import Duration
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import IN_FUNCTION, LockMode

if TYPE_CHECKING:
    from collections.abc import Iterator


def _slow(said: op.Operation) -> bool:
    """Whether it takes longer the more rows there are."""
    if isinstance(said, op.ModifyData):
        whole = said.command in ("update", "delete", "merge")
        return whole or (said.command == "insert" and said.rows is None)
    return not (isinstance(said, op.CreateIndex) and said.concurrently) and not (
        isinstance(said, op.Maintain) and said.command == "analyze"
    )


def _check(said: op.ModifyData | op.CreateIndex | op.Maintain, scene: Scene) -> Iterator[Problem]:
    if said.inside is IN_FUNCTION or not _slow(said):
        return
    table = said.table if isinstance(said, op.TableOperation) else next(iter(said.names), "all")
    fills = isinstance(said, op.ModifyData) and said.command == "insert"
    if isinstance(said, op.TableOperation) and scene.new(said.table) and not fills:
        return  # it is empty, or nearly so
    own = None if fills or isinstance(said, op.Maintain) else said.table
    for each, lock in scene.locks_before():
        if each.inside is IN_FUNCTION or isinstance(each, op.DropObject):
            continue
        held = lock.mode is LockMode.ACCESS_EXCLUSIVE and lock.object_kind == "table"
        if held and not scene.new(lock.name):
            known = scene.table(lock.name)
            some = isinstance(said, op.CreateIndex) or (
                isinstance(said, op.ModifyData) and said.filtered
            )
            yield Problem(
                f"{lock.name} is locked against reads and writes while this runs on {table}.",
                "Move it to a migration of its own, after the one that takes the lock.",
                table=own or (known.name if known else lock.name),
                lock=lock.mode,
                duration=Duration.SCAN if some else Duration.REWRITE,
            )
            return


RULES = (
    Rule(
        code="CF21",
        name="safety.statement_after_access_exclusive",
        category="locks",
        severity=Severity.WARNING,
        on=(
            op.ModifyData,
            op.CreateIndex,
            op.Maintain,
        ),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=False,
    ),
)
