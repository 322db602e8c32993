"""Limit the length of text by a CHECK, if at all.

varchar(n) is stored like text. A CHECK says the same, and can be changed without a lock that
blocks readers for long.

**Anti-pattern**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, name varchar(50));
```

**Best practice**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, name text CHECK (length(name) <= 50));
```

`--fix` writes text with such a CHECK for columns of new tables. It counts spaces at the end, which
varchar(n) cuts off where they are too many.

Source: PostgreSQL wiki, Don't Do This
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._retype import text_of_length
from confiture_flows.lint._typed import built_in, type_rule
from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from confiture_flows.sql.parts import TypeName


def _limited(kind: TypeName) -> bool:
    return built_in("varchar")(kind) and bool(kind.modifiers)


RULES = (
    type_rule(
        "CF49",
        "types.prefer_text_over_varchar",
        Severity.INFO,
        _limited,
        "{column} is limited to {type.modifiers[0]} characters by its type.",
        "Use text, with a CHECK where the length matters.",
        doc=__doc__,
        mend=text_of_length,
    ),
)
