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
        if not kind.name.schema and kind.name.name == "money":
            yield Problem(
                f"{column} is money, which depends on the locale of the session.",
                "Use numeric, and a column for the currency.",
                edits=replace_type(scene, said, column, {"money": "numeric"}),
            )


RULES = (
    Rule(
        code="CF46",
        name="types.no_money",
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
