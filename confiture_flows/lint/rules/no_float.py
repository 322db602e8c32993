"""Store exact numbers as numeric.

float4 has six digits, float8 fifteen, and both round in binary: sums of amounts are wrong by a
bit. For measurements they are right; say so with noqa, or switch the rule off.

**Anti-pattern**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, price real);
```

**Best practice**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, price numeric(12, 2));
```

`--fix` writes double precision, which holds each real as it is.

Source: PostgreSQL wiki, Don't Do This
"""

from __future__ import annotations

from confiture_flows.lint._retype import double_precision
from confiture_flows.lint._typed import built_in, type_rule
from confiture_flows.report.finding import Severity

RULES = (
    type_rule(
        "CF50",
        "types.no_float",
        Severity.INFO,
        built_in("float4"),
        "{column} is a float4, which has six digits.",
        "Use numeric for amounts, double precision for measurements.",
        doc=__doc__,
        mend=double_precision,
    ),
)
