"""Keep indexes to three columns.

Each column makes an index larger and slower to write; those after the third hardly ever narrow
a search. Unique indexes need what they need, and columns from the first DESC on give an order.

**Anti-pattern**

```sql
CREATE INDEX wide ON orders (a, b, c, d);
```

**Best practice**

```sql
CREATE INDEX narrow ON orders (a, b);
```
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDEST = 3


def _check(said: op.CreateIndex, scene: Scene) -> Iterator[Problem]:
    narrowing = list(takewhile(lambda each: not each.descending, said.columns))
    if len(narrowing) > WIDEST and not said.unique and said.method == "btree":
        yield Problem(
            f"The index {said.name} on {said.table} has {len(said.columns)} columns.",
            "Keep the columns that narrow a search.",
        )


RULES = (
    Rule(
        code="CF69",
        name="index.few_index_columns",
        category="index",
        severity=Severity.INFO,
        on=(op.CreateIndex,),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=False,
    ),
)
