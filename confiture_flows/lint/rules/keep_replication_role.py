"""Leave session_replication_role as it is.

With `replica` no trigger of any table runs and no foreign key is checked, in all that the session
does until it is set back: rows come in that point nowhere, and nobody looks for them later.

**Anti-pattern**

```sql
SET session_replication_role = replica;
DELETE FROM orders WHERE id < 1000;
SET session_replication_role = DEFAULT;
```

**Best practice**

```sql
DELETE FROM items WHERE order_id < 1000;
DELETE FROM orders WHERE id < 1000;
```

Source: PostgreSQL docs, Client Connection Defaults, session_replication_role
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.Setting, scene: Scene) -> Iterator[Problem]:
    if said.name == "session_replication_role" and said.value in ("replica", "local"):
        yield Problem(
            "Triggers and foreign keys are switched off for all that follows.",
            "Take the line out; let triggers ask for a setting of your own.",
        )


RULES = (
    Rule(
        code="CF2B",
        name="safety.keep_replication_role",
        category="locks",
        severity=Severity.WARNING,
        on=(op.Setting,),
        check=_check,
        modes="S",
        doc=__doc__,
    ),
)
