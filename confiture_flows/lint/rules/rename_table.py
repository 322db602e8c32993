"""Rename no table that programs use.

A new name is there at once for all: programs that were released before fail until the last of
them is replaced. Add the new beside the old, and drop the old later. So it is with SET SCHEMA,
which takes a table out of the search_path.

**Anti-pattern**

```sql
ALTER TABLE orders RENAME TO purchases;
```

**Best practice**

```sql
CREATE VIEW purchases AS SELECT * FROM orders;
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.RenameObject | op.AlterObject, scene: Scene) -> Iterator[Problem]:
    if said.object_kind not in ("table", "view", "materialized view", "foreign table"):
        return
    if isinstance(said, op.AlterObject) and said.change != "schema":
        return
    if scene.new(said.name):
        return
    yield Problem(
        f"Programs that still ask for {said.name} fail at once.",
        "Make the new one beside the old, and take the old away in a later migration.",
    )


RULES = (
    Rule(
        code="CF34",
        name="compat.rename_table",
        category="breaking",
        severity=Severity.WARNING,
        on=(op.RenameObject, op.AlterObject),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=False,
    ),
)
