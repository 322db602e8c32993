"""Name things as the project does.

`[lint.names]` of the configuration has a regular expression for each kind of object that has a
rule: table, column, view, index, constraint, type, function, sequence, schema. The whole name
has to match. Nothing is told where nothing is configured. The examples are of
`table = "tb_[a-z_]+"`.

**Anti-pattern**

```sql
CREATE TABLE orders (id bigint PRIMARY KEY);
```

**Best practice**

```sql
CREATE TABLE tb_orders (id bigint PRIMARY KEY);
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
    if not scene.names:
        return
    for kind, word in new_names(said):
        pattern = scene.names.get(kind)
        if pattern and not pattern.fullmatch(word):
            yield Problem(
                f"The {kind} {word} does not match {pattern.pattern}.",
                "Name it as [lint.names] of the configuration says.",
            )


RULES = (
    Rule(
        code="CF65",
        name="naming.pattern",
        category="naming",
        severity=Severity.WARNING,
        on=NAMING,
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=False,
    ),
)
