"""Build no index that another begins with.

A btree index on (a, b) serves what one on (a) serves. The shorter one is smaller, and costs at
each write.

**Anti-pattern**

```sql
CREATE TABLE prices (shop int, item int, PRIMARY KEY (shop, item));
CREATE INDEX prices_shop ON prices (shop);
```

**Best practice**

```sql
CREATE TABLE prices (shop int, item int, PRIMARY KEY (shop, item));
CREATE INDEX prices_item ON prices (item);
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.CreateIndex, scene: Scene) -> Iterator[Problem]:
    table = scene.table(said.table)
    if table is None or said.unique or said.where or said.method != "btree" or said.include:
        return
    for each in table.indexes.values():
        longer = len(each.columns) > len(said.columns) and each.method == "btree"
        if longer and not each.partial and each.columns[: len(said.columns)] == said.columns:
            yield Problem(
                f"{each.name} of {said.table} begins with the same columns.",
                "Leave this one out, unless it is a great deal smaller.",
            )
            return


RULES = (
    Rule(
        code="CF68",
        name="index.no_prefix_index",
        category="index",
        severity=Severity.INFO,
        on=(op.CreateIndex,),
        check=_check,
        modes="H",
        doc=__doc__,
        fixable=False,
    ),
)
