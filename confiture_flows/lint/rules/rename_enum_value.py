"""Rename no value of an enum that programs use.

A new name is there at once for all: programs that were released before fail until the last of
them is replaced. Add the new beside the old, and drop the old later.

**Anti-pattern**

```sql
ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';
```

**Best practice**

```sql
ALTER TYPE mood ADD VALUE 'blue';
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
    full = scene.state.full
    made = (each.name for each in scene.earlier() if isinstance(each, op.CreateType))
    if said.object_kind != "enum value" or full(said.name) in map(full, made):
        return
    yield Problem(
        f"Programs that still write '{said.old}' of {said.name} fail at once.",
        "Make the new one beside the old, and take the old away in a later migration.",
    )


RULES = (
    Rule(
        code="CF36",
        name="compat.rename_enum_value",
        category="breaking",
        severity=Severity.WARNING,
        on=(op.RenameObject,),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=False,
    ),
)
