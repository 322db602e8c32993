"""Add generated, identity and serial columns with the table, not later.

A stored generated column, an identity and a serial are computed for each row that exists: the
whole table is written anew under ACCESS EXCLUSIVE.

**Anti-pattern**

```sql
ALTER TABLE orders ADD COLUMN number bigserial;
```

**Best practice**

```sql
ALTER TABLE orders ADD COLUMN number bigint;
CREATE SEQUENCE orders_number OWNED BY orders.number;
ALTER TABLE orders ALTER COLUMN number SET DEFAULT nextval('orders_number');
-- fill the old rows in batches, in a migration of its own
```

Source: PostgreSQL docs, ALTER TABLE, Notes
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.AddColumn, scene: Scene) -> Iterator[Problem]:
    column = said.column
    if scene.empty(said.table):
        return
    if column.generated == "stored" or column.identity or column.type.serial:
        kind = (
            "stored generated" if column.generated else "identity" if column.identity else "serial"
        )
        yield Problem(
            f"{said.table} is written anew for the {kind} column {column.name}.",
            "Add a plain column, fill it in batches, and give new rows a default or a trigger.",
            table=said.table,
        )


RULES = (
    Rule(
        code="CF10",
        name="safety.stored_generated_or_serial_column",
        category="rewrite",
        severity=Severity.ERROR,
        on=(op.AddColumn,),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=False,
    ),
)
