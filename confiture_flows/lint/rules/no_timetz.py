"""Store no time of day with a time zone.

Without a date nobody knows whether daylight saving time applies, so the offset of a timetz
means nothing.

**Anti-pattern**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, at timetz);
```

**Best practice**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, at timestamptz);
```

`--fix` writes time, which takes the values that programs write now, without their offset.

Source: PostgreSQL wiki, Don't Do This
"""

from __future__ import annotations

from confiture_flows.lint._retype import retyped
from confiture_flows.lint._typed import built_in, type_rule
from confiture_flows.report.finding import Severity

RULES = (
    type_rule(
        "CF53",
        "types.no_timetz",
        Severity.WARNING,
        built_in("timetz"),
        "{column} is a time with time zone, which means nothing without a date.",
        "Use timestamptz, or time.",
        doc=__doc__,
        mend=retyped({"timetz": "time", "time": "time"}),
    ),
)
