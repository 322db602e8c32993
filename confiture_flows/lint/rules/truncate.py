"""Empty no table that has rows.

TRUNCATE takes ACCESS EXCLUSIVE and all rows, and no trigger for single rows sees them go.

**Anti-pattern**

```sql
TRUNCATE orders;
```

**Best practice**

```sql
DELETE FROM orders WHERE made < now() - interval '1 year';
```

Source: PostgreSQL docs, TRUNCATE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import Inside

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.Truncate, scene: Scene) -> Iterator[Problem]:
    tables = [each for each in said.tables if not scene.new(each)]
    if said.inside is Inside.FUNCTION or not tables:
        return
    yield Problem(
        f"All rows of {', '.join(map(str, tables))} are gone.",
        "Delete what has to go, by a condition.",
    )


RULES = (
    Rule(
        code="CF40",
        name="compat.truncate",
        category="data",
        severity=Severity.WARNING,
        on=(op.Truncate,),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=False,
    ),
)
