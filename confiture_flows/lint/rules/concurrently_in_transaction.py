"""Keep CONCURRENTLY out of BEGIN and COMMIT.

PostgreSQL refuses CONCURRENTLY inside a transaction, so the migration fails when it is applied.
Without BEGIN it is recognised and runs by itself.

**Anti-pattern**

```sql
BEGIN;
CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);
COMMIT;
```

**Best practice**

```sql
CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);
```

Source: PostgreSQL docs, CREATE INDEX
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.lint.script import stands_alone
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import Inside

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(
    said: op.CreateIndex | op.DropObject | op.Maintain | op.ChangePartition, scene: Scene
) -> Iterator[Problem]:
    if not stands_alone(said):
        return
    inside = said.inside is not Inside.SCRIPT
    if scene.own_begin or inside:
        where = "a DO block or function" if inside else "the file's own BEGIN and COMMIT"
        yield Problem(
            f"PostgreSQL refuses this statement inside {where}.",
            "Let it stand alone in the file, without BEGIN, or in a file of its own.",
        )


RULES = (
    Rule(
        code="CF04",
        name="safety.concurrently_in_transaction",
        category="locks",
        severity=Severity.ERROR,
        on=(
            op.CreateIndex,
            op.DropObject,
            op.Maintain,
            op.ChangePartition,
        ),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=False,
    ),
)
