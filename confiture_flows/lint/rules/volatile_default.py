"""Add columns without a volatile default.

A constant default, or now(), is stored once. A default that may differ from row to row, such as
gen_random_uuid(), makes PostgreSQL write the whole table anew under ACCESS EXCLUSIVE.

**Anti-pattern**

```sql
ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid();
```

**Best practice**

```sql
ALTER TABLE orders ADD COLUMN token uuid;
ALTER TABLE orders ALTER COLUMN token SET DEFAULT gen_random_uuid();
-- fill the old rows in batches, in a migration of its own
```

`--fix` writes these steps, and one UPDATE for the old rows, where the statement is alone in its
file, or runs outside of a transaction already, and the history knows of no trigger, rule or row
security that looks at an UPDATE. NOT NULL comes last. On a large table, make batches of the UPDATE.

Source: PostgreSQL docs, ALTER TABLE, Notes
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._fills import fill_afterwards
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.volatility import is_volatile

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.AddColumn, scene: Scene) -> Iterator[Problem]:
    default = said.column.default
    if default is None or said.column.generated or scene.empty(said.table):
        return
    if is_volatile(default):
        yield Problem(
            f"{said.table} is written anew: each row gets another value for {said.column.name}.",
            "Add the column without the default, set the default, and fill old rows in batches.",
            table=said.table,
            edits=fill_afterwards(scene, said),
        )


RULES = (
    Rule(
        code="CF09",
        name="safety.volatile_default",
        category="rewrite",
        severity=Severity.ERROR,
        on=(op.AddColumn,),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=True,
    ),
)
