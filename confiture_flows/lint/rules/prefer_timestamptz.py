"""Store moments as timestamptz.

timestamp without time zone is the picture of a clock without its place: two sessions with
different time zones read and write different moments.

**Anti-pattern**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, at timestamp);
```

**Best practice**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, at timestamptz);
```

Source: PostgreSQL wiki, Don't Do This
"""

from __future__ import annotations

from confiture_flows.lint._retype import retyped
from confiture_flows.lint._typed import built_in, type_rule
from confiture_flows.report.finding import Severity

RULES = (
    type_rule(
        "CF44",
        "types.prefer_timestamptz",
        Severity.INFO,
        built_in("timestamp"),
        "{column} is a timestamp without time zone.",
        "Use timestamptz.",
        doc=__doc__,
        mend=retyped({"timestamp": "timestamptz"}),
    ),
)
