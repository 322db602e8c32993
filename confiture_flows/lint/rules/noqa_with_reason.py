"""Say why a finding is silenced.

Who reads the comment in a year wants to know whether it still holds. The reason stands behind
the codes, or before noqa. Off by default; `rules = { CF93 = "info" }` in `[lint]` switches it on.

**Anti-pattern**

```sql
DROP TABLE old_orders; -- noqa: CF28
```

**Best practice**

```sql
DROP TABLE old_orders; -- noqa: CF28 unused since version 2.4
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.lint.script import SilencingComment
from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: SilencingComment, scene: Scene) -> Iterator[Problem]:
    if not said.reason:
        yield Problem(
            "This comment does not say why it silences.",
            "Write the reason behind the codes.",
        )


RULES = (
    Rule(
        code="CF93",
        name="meta.noqa_with_reason",
        category="meta",
        severity=Severity.INFO,
        on=(SilencingComment,),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=False,
        on_by_default=False,
    ),
)
