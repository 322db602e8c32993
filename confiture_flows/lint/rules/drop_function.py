"""Drop a function only when no released program uses it.

Programs that were released before still use it while the migration runs, and after it, until
the last of them is replaced. To change a function, use CREATE OR REPLACE FUNCTION.

**Anti-pattern**

```sql
DROP FUNCTION total(int);
```

**Best practice**

```sql
CREATE OR REPLACE FUNCTION total(int) RETURNS int LANGUAGE sql AS 'SELECT $1';
```
"""

from __future__ import annotations

from confiture_flows.lint._breaking import drop_rule
from confiture_flows.report.finding import Severity

RULES = (
    drop_rule(
        "CF32",
        "compat.drop_function",
        Severity.WARNING,
        ("function", "procedure", "routine", "aggregate"),
        "Programs that still call {name} fail.",
        doc=__doc__,
    ),
)
