"""Store moments in full precision.

timestamptz(0) rounds instead of cutting: a moment may be stored that is half a second in the
future.

**Anti-pattern**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, at timestamptz(0));
```

**Best practice**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, at timestamptz);
```

Source: PostgreSQL wiki, Don't Do This
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._retype import remove_precision
from confiture_flows.lint._typed import built_in, type_rule
from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from confiture_flows.sql.parts import TypeName


def _whole_seconds(kind: TypeName) -> bool:
    return built_in("timestamp", "timestamptz")(kind) and kind.modifiers == (0,)


RULES = (
    type_rule(
        "CF52",
        "types.no_timestamp_precision",
        Severity.WARNING,
        _whole_seconds,
        "{column} rounds to whole seconds, also up.",
        "Leave the precision out, and use date_trunc where it is read.",
        doc=__doc__,
        mend=remove_precision,
    ),
)
