"""Store JSON as jsonb.

json keeps the text, white space and repeated keys included: it is parsed at each access, has no
equality and no index. Nothing is said of a column that was jsonb: who changes it back wants the
text.

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

from typing import TYPE_CHECKING

from confiture_flows.lint._retype import retyped
from confiture_flows.lint._typed import built_in, type_rule
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from confiture_flows.lint.rule import Scene


def _was_jsonb(said: op.Operation, scene: Scene) -> bool:
    if not isinstance(said, op.AlterColumnType):
        return False
    table = scene.table(said.table)
    old = table.columns.get(said.column) if table else None
    return old is not None and old.type.name.name == "jsonb"


RULES = (
    type_rule(
        "CF48",
        "types.prefer_jsonb",
        Severity.WARNING,
        built_in("json"),
        "{column} is json, which has no equality and is parsed at each access.",
        "Use jsonb.",
        doc=__doc__,
        wanted=_was_jsonb,
        mend=retyped({"json": "jsonb"}),
    ),
)
