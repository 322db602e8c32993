"""Write large tables in batches.

The table has a million rows or more, and the condition of the UPDATE or DELETE bounds none of its
keys: it may write many rows in one transaction, which keeps their locks and all dead rows until it
ends. Judged only where sizes are known, by `--live` or a file with statistics. A LIMIT, or a
comparison of the first column of a primary key or unique index with values, is a bound.

**Anti-pattern**

```sql
UPDATE orders SET state = 'old' WHERE paid_at < '2020-01-01';
```

**Best practice**

```sql
UPDATE orders SET state = 'old' WHERE paid_at < '2020-01-01' AND id BETWEEN 1 AND 10000;
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.lint.severity import LARGE_TABLE, Duration
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import Inside

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.ModifyData, scene: Scene) -> Iterator[Problem]:
    if said.command not in ("update", "delete") or not said.filtered or said.limited:
        return
    facts = scene.facts(said.table)
    if facts is None or facts.rows < LARGE_TABLE[0] or said.inside is Inside.FUNCTION:
        return
    table = scene.table(said.table)
    keys = {each.names[0] for each in table.indexes.values() if each.unique} if table else set()
    if keys.intersection(said.bounds) or scene.new(said.table):
        return
    yield Problem(
        f"{said.command.upper()} of {said.table} by a condition that bounds no key may write many "
        "rows at once.",
        "Do it in batches by the primary key, outside of the migration that changes the schema.",
        table=said.table,
        duration=Duration.SCAN,
    )


RULES = (
    Rule(
        code="CF4C",
        name="data.write_in_batches",
        category="data",
        severity=Severity.WARNING,
        on=(op.ModifyData,),
        check=_check,
        modes="HC",
        doc=__doc__,
        fixable=False,
    ),
)
