"""Use no reserved word as a name.

A reserved word has to stand in quotes wherever it is written, for ever.

**Anti-pattern**

```sql
CREATE TABLE "order" (id bigint PRIMARY KEY);
```

**Best practice**

```sql
CREATE TABLE orders (id bigint PRIMARY KEY);
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._words import NAMING, RESERVED, new_names
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.sql import operation as op


def _check(said: op.Operation, scene: Scene) -> Iterator[Problem]:
    for kind, word in new_names(said):
        if word in RESERVED:
            yield Problem(f'The {kind} "{word}" is a reserved word.', "Use another name.")


RULES = (
    Rule(
        code="CF61",
        name="naming.no_reserved_word",
        category="naming",
        severity=Severity.INFO,
        on=NAMING,
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=False,
    ),
)
