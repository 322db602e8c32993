"""Drop a type only when no released program uses it.

Programs that were released before still use it while the migration runs, and after it, until
the last of them is replaced. Drivers ask for types by name when they connect.

**Anti-pattern**

```sql
DROP TYPE mood;
```

**Best practice**

```sql
-- first release programs that do not use the type; then, knowingly:
DROP TYPE mood; -- noqa: CF31
```
"""

from __future__ import annotations

from confiture_flows.lint._breaking import drop_rule
from confiture_flows.report.finding import Severity

RULES = (
    drop_rule(
        "CF31",
        "compat.drop_type",
        Severity.WARNING,
        ("type", "domain"),
        "Programs that still use the type {name} fail.",
        doc=__doc__,
    ),
)
