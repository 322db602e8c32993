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

from typing import TYPE_CHECKING

from confiture_flows.lint._columns import written_types
from confiture_flows.lint._retype import replace_type
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(
    said: op.CreateTable | op.AddColumn | op.AlterColumnType, scene: Scene
) -> Iterator[Problem]:
    for column, kind in written_types(said):
        if not kind.name.schema and kind.name.name == "json":
            yield Problem(
                f"{column} is json, which has no equality and is parsed at each access.",
                "Use jsonb.",
                edits=replace_type(scene, said, column, {"json": "jsonb"}),
            )


RULES = (
    Rule(
        code="CF48",
        name="types.prefer_jsonb",
        category="types",
        severity=Severity.WARNING,
        on=(
            op.CreateTable,
            op.AddColumn,
            op.AlterColumnType,
        ),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=True,
    ),
)
