"""Leave statement_timeout to the runner.

A target may limit how long a statement takes (`statement_timeout_ms`). A file that switches the
limit off in its transaction may hold its locks without end. Statements that stand alone, such as
CREATE INDEX CONCURRENTLY, are no finding: they take long, and hold no lock that others wait for.

**Anti-pattern**

```sql
SET statement_timeout = 0;
```

**Best practice**

```sql
SET statement_timeout = '5min';
```

Source: PostgreSQL docs, statement_timeout
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


def _check(said: op.Setting, scene: Scene) -> Iterator[Problem]:
    if said.name != "statement_timeout" or scene.transaction is None:
        return
    if said.value is None or milliseconds(said.value) == 0:
        yield Problem(
            "statement_timeout is switched off: a statement of this migration may hold its locks "
            "without end.",
            "Take the line out, or set how long it may take.",
            edits=leave_out(scene, said),
        )


RULES = (
    Rule(
        code="CF4D",
        name="safety.require_statement_timeout",
        category="locks",
        severity=Severity.INFO,
        on=(op.Setting,),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=True,
    ),
)
