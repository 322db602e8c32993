"""Rename no column that programs use.

A new name is there at once for all: programs that were released before fail until the last of
them is replaced. Add the new beside the old, and drop the old later.

**Anti-pattern**

```sql
ALTER TABLE orders RENAME COLUMN note TO remark;
```

**Best practice**

```sql
ALTER TABLE orders ADD COLUMN remark text;
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.RenameObject, scene: Scene) -> Iterator[Problem]:
    if said.object_kind not in ("column", "attribute"):
        return
    added = (each for each in scene.earlier() if isinstance(each, op.AddColumn))
    if scene.new(said.name) or any(
        each.table == said.name and each.column.name == said.old for each in added
    ):
        return
    yield Problem(
        f"Programs that still use {said.name}.{said.old} fail at once.",
        "Make the new one beside the old, and take the old away in a later migration.",
    )


RULES = (
    Rule(
        code="CF35",
        name="compat.rename_column",
        category="breaking",
        severity=Severity.WARNING,
        on=(op.RenameObject,),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=False,
    ),
)
