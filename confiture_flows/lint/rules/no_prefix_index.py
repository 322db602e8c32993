"""Build no index that another begins with.

A btree index on (a, b) serves what one on (a) serves. The shorter one is smaller, and costs at
each write. `--fix` leaves it out where the other's further columns have 16 bytes at most, and
nothing after it, no way back and no later migration names either of the two.

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

from confiture_flows.lint._indexes import is_little_wider, left_out
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
            edits, replaced = left_out(scene, said, each)
            little = is_little_wider(table, said, each)
            yield Problem(
                f"{each.name} of {said.table} begins with the same columns.",
                "Leave this one out, unless it is a great deal smaller.",
                edits=edits if little else (),
                replaced=replaced,
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
        fixable=True,
    ),
)
