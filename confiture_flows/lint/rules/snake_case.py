"""Name things in lower case, with underscores.

A name with capitals or other characters has to stand in quotes wherever it is written, for
ever. Nothing is said of the name of a constraint or index that PostgreSQL would give it: the table
and columns that it is made of are told.

**Anti-pattern**

```sql
CREATE TABLE "Orders" (id bigint PRIMARY KEY);
```

**Best practice**

```sql
CREATE TABLE orders (id bigint PRIMARY KEY);
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._names import chosen_names
from confiture_flows.lint._words import NAMING, SNAKE_CASE, new_names
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.sql import operation as op


def _check(said: op.Operation, scene: Scene) -> Iterator[Problem]:
    for kind, word in new_names(said):
        if not SNAKE_CASE.fullmatch(word) and word not in chosen_names(said):
            yield Problem(
                f'The {kind} "{word}" has to be quoted wherever it is written.',
                "Use lower case letters, digits and underscores.",
            )


RULES = (
    Rule(
        code="CF60",
        name="naming.snake_case",
        category="naming",
        severity=Severity.INFO,
        on=NAMING,
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=False,
    ),
)
