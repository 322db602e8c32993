"""Let the way back undo the way forward.

The way up and the way down are replayed on what the history has made. What is left, or missing,
or otherwise than before, nobody will expect after a rollback. Rows are not looked at, and
scripts that cannot be read in full are not judged.

**Anti-pattern**

```sql
-- 0042_add.up.sql
CREATE TABLE a (id bigint PRIMARY KEY);
CREATE TABLE b (id bigint PRIMARY KEY);
-- 0042_add.down.sql
DROP TABLE a;
```

**Best practice**

```sql
-- 0042_add.up.sql
CREATE TABLE a (id bigint PRIMARY KEY);
CREATE TABLE b (id bigint PRIMARY KEY);
-- 0042_add.down.sql
DROP TABLE b;
DROP TABLE a;
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._compare import compare
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.lint.script import End
from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: End, scene: Scene) -> Iterator[Problem]:
    if said.undone is None:
        return
    differences = compare(said.before, said.undone)
    if differences:
        more = f" and {len(differences) - 3} more" if len(differences) > 3 else ""
        yield Problem(
            f"The down script does not undo the up script: {'; '.join(differences[:3])}{more}.",
            "Mend the down script.",
        )


RULES = (
    Rule(
        code="CF84",
        name="state.down_undoes_up",
        category="reversibility",
        severity=Severity.WARNING,
        on=(End,),
        check=_check,
        modes="H",
        doc=__doc__,
        fixable=False,
    ),
)
