"""Store text as text, not as char.

char(n) is filled up with spaces, which comparisons ignore and other operations do not, and is
no faster.

**Anti-pattern**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, code char(3));
```

**Best practice**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, code text CHECK (length(code) = 3));
```

`--fix` writes text with such a CHECK for columns of new tables. It counts spaces at the end, which
char(n) cuts off where they are too many.

Source: PostgreSQL wiki, Don't Do This
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._retype import text_of_length
from confiture_flows.lint._typed import built_in, type_rule
from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from confiture_flows.sql.parts import TypeName


def _filled_up(kind: TypeName) -> bool:
    return built_in("bpchar")(kind) and kind.modifiers[:1] != (1,)


RULES = (
    type_rule(
        "CF45",
        "types.prefer_text_over_char",
        Severity.WARNING,
        _filled_up,
        "{column} is a char, which is filled up with spaces.",
        "Use text, with a CHECK where the length matters.",
        doc=__doc__,
        mend=text_of_length,
    ),
)
