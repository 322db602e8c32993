"""Rename no schema that programs use.

A new name is there at once for all: programs that were released before fail until the last of
them is replaced. Add the new beside the old, and drop the old later.

**Anti-pattern**

```sql
ALTER SCHEMA shop RENAME TO store;
```

**Best practice**

```sql
CREATE SCHEMA store;
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
    made = (each for each in scene.earlier() if isinstance(each, op.CreateObject))
    kind = said.object_kind
    if kind not in ("schema", "database") or (kind, said.name) in (
        (each.object_kind, each.name) for each in made
    ):
        return
    yield Problem(
        f"Programs that still use {said.name} fail at once.",
        "Make the new one beside the old, and take the old away in a later migration.",
    )


RULES = (
    Rule(
        code="CF37",
        name="compat.rename_schema",
        category="breaking",
        severity=Severity.WARNING,
        on=(op.RenameObject,),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=False,
    ),
)
