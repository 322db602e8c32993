"""Store JSON as jsonb.

json keeps the text, white space and repeated keys included: it is parsed at each access, has no
equality and no index.

**Anti-pattern**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, data json);
```

**Best practice**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, data jsonb);
```

Source: PostgreSQL wiki, Don't Do This
"""

from __future__ import annotations

from confiture_flows.lint._retype import retyped
from confiture_flows.lint._typed import built_in, type_rule
from confiture_flows.report.finding import Severity

RULES = (
    type_rule(
        "CF48",
        "types.prefer_jsonb",
        Severity.WARNING,
        built_in("json"),
        "{column} is json, which has no equality and is parsed at each access.",
        "Use jsonb.",
        doc=__doc__,
        mend=retyped({"json": "jsonb"}),
    ),
)
