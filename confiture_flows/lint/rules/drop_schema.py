"""Drop a schema or database only when nothing in it is used.

Programs that were released before still use it while the migration runs, and after it, until
the last of them is replaced. With CASCADE all that is in it goes too.

**Anti-pattern**

```sql
DROP SCHEMA shop CASCADE;
```

**Best practice**

```sql
-- drop what is in it one by one, then, knowingly:
DROP SCHEMA shop; -- noqa: CF29
```
"""

from __future__ import annotations

from confiture_flows.lint._breaking import drop_rule
from confiture_flows.report.finding import Severity

RULES = (
    drop_rule(
        "CF29",
        "compat.drop_schema",
        Severity.ERROR,
        ("schema", "database"),
        "All that is in {name} is gone for those who use it.",
        doc=__doc__,
    ),
)
