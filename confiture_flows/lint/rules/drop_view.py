"""Drop a view only when no released program uses it.

Programs that were released before still use it while the migration runs, and after it, until
the last of them is replaced. To change a view, use CREATE OR REPLACE VIEW where its columns
stay.

**Anti-pattern**

```sql
DROP VIEW totals;
```

**Best practice**

```sql
CREATE OR REPLACE VIEW totals AS SELECT 1 AS total;
```
"""

from __future__ import annotations

from confiture_flows.lint._breaking import drop_rule
from confiture_flows.report.finding import Severity

RULES = (
    drop_rule(
        "CF30",
        "compat.drop_view",
        Severity.WARNING,
        ("view", "materialized view"),
        "Programs that still use the view {name} fail.",
        doc=__doc__,
    ),
)
