"""Say where a new value of an enum stands.

Values of an enum compare by their order. Without BEFORE or AFTER a new one is the greatest, and
there is no way to move it later. Off by default, since most enums have no order that means
anything; `rules = { CF4A = "info" }` in `[lint]` switches it on.

**Anti-pattern**

```sql
ALTER TYPE priority ADD VALUE 'lowest';
```

**Best practice**

```sql
ALTER TYPE priority ADD VALUE 'lowest' BEFORE 'low';
```

Source: PostgreSQL docs, ALTER TYPE, ADD VALUE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.AddEnumValue, scene: Scene) -> Iterator[Problem]:
    known = scene.state.types.get(scene.state.full(said.name))
    if said.beside or (known and not known.values):
        return
    last = f" AFTER '{known.values[-1]}'" if known else " BEFORE or AFTER a value"
    yield Problem(
        f"Nothing says where '{said.value}' stands in the order of {said.name}.",
        f"Add{last}, or where else it belongs.",
    )


RULES = (
    Rule(
        code="CF4A",
        name="types.enum_value_order",
        category="types",
        severity=Severity.INFO,
        on=(op.AddEnumValue,),
        check=_check,
        modes="SH",
        doc=__doc__,
        fixable=False,
        on_by_default=False,
    ),
)
