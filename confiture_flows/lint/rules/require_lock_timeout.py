"""Leave lock_timeout to the runner, or keep it short.

A statement that waits for a lock makes everybody behind it wait too. confiture-flows sets a
lock_timeout for each migration and tries again; a file that switches it off, or sets more than
ten seconds, takes that protection away.

**Anti-pattern**

```sql
SET lock_timeout = 0;
```

**Best practice**

```sql
SET lock_timeout = '2s';
```

Source: PostgreSQL docs, lock_timeout
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._steps import leave_out
from confiture_flows.lint._types import milliseconds
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_MS = 10_000


def _check(said: op.Setting, scene: Scene) -> Iterator[Problem]:
    if said.name != "lock_timeout":
        return
    limit = milliseconds(said.value) if said.value is not None else None
    if limit is None and said.value is not None:
        return
    if said.value is None or limit == 0 or (limit or 0) > LONGEST_MS:
        wrong = "is switched off" if not limit else "is longer than ten seconds"
        yield Problem(
            f"lock_timeout {wrong}: traffic queues behind this migration for as long as it waits.",
            "Take the line out, or set a second or two.",
            edits=leave_out(scene, said),
        )


RULES = (
    Rule(
        code="CF20",
        name="safety.require_lock_timeout",
        category="locks",
        severity=Severity.WARNING,
        on=(op.Setting,),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=True,
    ),
)
