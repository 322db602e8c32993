"""Take out noqa comments that silence nothing.

A comment that silences nothing today hides what somebody writes on its line tomorrow. One that
names a rule that does not exist was most likely meant otherwise.

**Anti-pattern**

```sql
CREATE TABLE orders (id bigint PRIMARY KEY); -- noqa: CF01
```

**Best practice**

```sql
CREATE TABLE orders (id bigint PRIMARY KEY);
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.lint.script import UnusedNoqa
from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: UnusedNoqa, scene: Scene) -> Iterator[Problem]:
    if said.unknown:
        yield Problem(
            f"There is no rule {said.word}.",
            "Name one of those that `confiture-flows rules` lists.",
        )
    else:
        yield Problem(f"This comment silences nothing of {said.word}.", "Take it out.")


RULES = (
    Rule(
        code="CF91",
        name="meta.no_unused_noqa",
        category="meta",
        severity=Severity.INFO,
        on=(UnusedNoqa,),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=False,
    ),
)
