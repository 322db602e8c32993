"""Store amounts as numeric, not as money.

money knows no currency, and how it is read and shown depends on lc_monetary of the session.

**Anti-pattern**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, price money);
```

**Best practice**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, price numeric(12, 2));
```

Source: PostgreSQL wiki, Don't Do This
"""

from __future__ import annotations

from confiture_flows.lint._retype import retyped
from confiture_flows.lint._typed import built_in, type_rule
from confiture_flows.report.finding import Severity

RULES = (
    type_rule(
        "CF46",
        "types.no_money",
        Severity.WARNING,
        built_in("money"),
        "{column} is money, which depends on the locale of the session.",
        "Use numeric, and a column for the currency.",
        doc=__doc__,
        mend=retyped({"money": "numeric"}),
    ),
)
