"""Keep rows that matter in logged tables.

An unlogged table is emptied when the server crashes, and standby servers do not have its rows.

**Anti-pattern**

```sql
CREATE UNLOGGED TABLE orders (id bigint PRIMARY KEY);
```

**Best practice**

```sql
CREATE TABLE orders (id bigint PRIMARY KEY);
```

Source: PostgreSQL docs, CREATE TABLE, UNLOGGED
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.CreateTable | op.AlterTable, scene: Scene) -> Iterator[Problem]:
    made = isinstance(said, op.CreateTable) and said.persistence == "unlogged"
    if made or (isinstance(said, op.AlterTable) and said.change == "set unlogged"):
        yield Problem(f"{said.table} is emptied when the server crashes.", "Leave UNLOGGED out.")


RULES = (
    Rule(
        code="CF56",
        name="design.no_unlogged",
        category="design",
        severity=Severity.WARNING,
        on=(
            op.CreateTable,
            op.AlterTable,
        ),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=False,
    ),
)
