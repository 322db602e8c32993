"""Use no dot in a name.

A dot parts schema and name. In quotes it is a part of the name, which most programs then take
apart.

**Anti-pattern**

```sql
CREATE TABLE "shop.orders" (id bigint PRIMARY KEY);
```

**Best practice**

```sql
CREATE TABLE shop.orders (id bigint PRIMARY KEY);
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._words import NAMING, new_names
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.sql import operation as op


def _check(said: op.Operation, scene: Scene) -> Iterator[Problem]:
    for kind, word in new_names(said):
        if "." in word:
            yield Problem(
                f'The {kind} "{word}" has a dot in its name.',
                "Write schema and name apart, as schema.name.",
            )


RULES = (
    Rule(
        code="CF63",
        name="naming.no_dot",
        category="naming",
        severity=Severity.WARNING,
        on=NAMING,
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=False,
    ),
)
