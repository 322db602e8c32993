"""Drop a function only when no released program uses it.

Programs that were released before still use it while the migration runs, and after it, until
the last of them is replaced. To change a function, use CREATE OR REPLACE FUNCTION. Nothing is said
of a function that returns trigger: no program can call it.

**Anti-pattern**

```sql
DROP FUNCTION total(int);
```

**Best practice**

```sql
CREATE OR REPLACE FUNCTION total(int) RETURNS int LANGUAGE sql AS 'SELECT $1';
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._breaking import drop_rule
from confiture_flows.lint._routines import of_triggers
from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from confiture_flows.lint.rule import Scene
    from confiture_flows.sql import operation as op


def _of_triggers(said: op.DropObject, scene: Scene) -> bool:
    known = scene.state.functions.get(scene.state.full(said.name), ())
    return bool(known) and all(map(of_triggers, known))


RULES = (
    drop_rule(
        "CF32",
        "compat.drop_function",
        Severity.WARNING,
        ("function", "procedure", "routine", "aggregate"),
        "Programs that still call {name} fail.",
        doc=__doc__,
        harmless=_of_triggers,
    ),
)
