"""Drop a type only when no released program uses it.

Programs that were released before still use it while the migration runs, and after it, until
the last of them is replaced. Drivers ask for types by name when they connect. Nothing is said of a
type that no column has, or that goes with the last that had it: what is said of these is enough.

**Anti-pattern**

```sql
DROP TYPE mood;
```

**Best practice**

```sql
-- first release programs that do not use the type; then, knowingly:
DROP TYPE mood; -- noqa: CF31
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._breaking import drop_rule
from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from confiture_flows.lint.rule import Scene
    from confiture_flows.sql import operation as op


def _is_not_missed(said: op.DropObject, scene: Scene) -> bool:
    if scene.start is None:
        return False
    name = scene.state.full(said.name)
    had = [
        (table.name, column.name)
        for table in scene.start.tables.values()
        for column in table.columns.values()
        if scene.start.full(column.type.name) == name
    ]
    left = scene.state.tables
    known = had or (scene.start.complete and name in scene.start.types)
    return bool(known) and not any(
        table in left and column in left[table].columns for table, column in had
    )


RULES = (
    drop_rule(
        "CF31",
        "compat.drop_type",
        Severity.WARNING,
        ("type", "domain"),
        "Programs that still use the type {name} fail.",
        doc=__doc__,
        harmless=_is_not_missed,
    ),
)
