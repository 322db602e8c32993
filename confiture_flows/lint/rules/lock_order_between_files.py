"""Lock tables in the same order in all migrations.

A program that writes to two tables in one transaction has one order, and can deadlock with
whoever locks them in the other: PostgreSQL then ends one of the two. Of migrations with opposite
orders, one is the wrong one for everybody. Told of locks that keep others from writing, in
transactions of one file, and of files that are judged as a set: with `--live TARGET` what is
pending, with `--since REV` what a branch changed.

**Anti-pattern**

```sql
BEGIN;
ALTER TABLE orders ADD COLUMN note text;
ALTER TABLE users ADD COLUMN note text;
COMMIT;
BEGIN;
ALTER TABLE users ADD COLUMN seen date;
ALTER TABLE orders ADD COLUMN seen date;
COMMIT;
```

**Best practice**

```sql
BEGIN;
ALTER TABLE orders ADD COLUMN note text;
ALTER TABLE users ADD COLUMN note text;
COMMIT;
BEGIN;
ALTER TABLE orders ADD COLUMN seen date;
ALTER TABLE users ADD COLUMN seen date;
COMMIT;
```

Source: PostgreSQL docs, Explicit Locking, Deadlocks
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._lock_orders import TablePair, lock_orders
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.lint.script import End
from confiture_flows.lint.severity import Duration
from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: End, scene: Scene) -> Iterator[Problem]:
    numbers = scene.script.transactions
    if not said.orders and numbers[0] is not None and numbers[0] == numbers[-1]:
        return  # one transaction, and none to compare it with
    earlier: dict[TablePair, str] = dict(said.orders)
    told: set[TablePair] = set()
    for pairs in lock_orders(scene.script, said.before, scene.pending):
        for (first, second), (each, mode) in pairs.items():
            other = earlier.get((second, first))
            if other is None or (second, first) in told or (first, second) in told:
                continue
            told.add((first, second))
            yield Problem(
                f"{first} is locked before {second} here, and after it at {other}: one of the two "
                "deadlocks with programs that write to both.",
                "Lock them in one order, by LOCK TABLE at the start; or part the changes.",
                table=second,
                at=each,
                lock=mode,
                duration=Duration.METADATA,
            )
        for pair, (each, _) in pairs.items():
            earlier.setdefault(pair, f"line {scene.script.first_line + each.line - 1}")


RULES = (
    Rule(
        code="CF4E",
        name="safety.lock_order_between_files",
        category="locks",
        severity=Severity.WARNING,
        on=(End,),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=False,
    ),
)
