"""Drop a table only when no released program uses it.

Programs that were released before still use it while the migration runs, and after it, until
the last of them is replaced. Its rows are gone for good.

**Anti-pattern**

```sql
DROP TABLE orders;
```

**Best practice**

```sql
-- first release programs that do not use the table; then, knowingly:
DROP TABLE orders; -- noqa: CF28
```
"""

from __future__ import annotations

from confiture_flows.lint._breaking import drop_rule
from confiture_flows.report.finding import Severity

RULES = (
    drop_rule(
        "CF28",
        "compat.drop_table",
        Severity.WARNING,
        ("table", "foreign table"),
        "Programs that still use {name} fail, and its rows are gone.",
        doc=__doc__,
    ),
)
