"""Build no index that is there already.

Two indexes on the same columns cost twice at each write, and the second is never used. `--fix`
leaves the new one out, if nothing after it, no way back and no later migration names either of the
two.

**Anti-pattern**

```sql
CREATE TABLE users (id bigint PRIMARY KEY, email text UNIQUE);
CREATE INDEX users_email ON users (email);
```

**Best practice**

```sql
CREATE TABLE users (id bigint PRIMARY KEY, email text UNIQUE);
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._indexes import left_out, same_index
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.CreateIndex, scene: Scene) -> Iterator[Problem]:
    table = scene.table(said.table)
    for each in table.indexes.values() if table else ():
        if same_index(each, said) and said.name != each.name:
            edits, replaced = left_out(scene, said, each)
            yield Problem(
                f"{each.name} of {said.table} is the same index.",
                "Leave this one out, or drop the other first.",
                edits=edits,
                replaced=replaced,
            )
            return


RULES = (
    Rule(
        code="CF67",
        name="index.no_duplicate_index",
        category="index",
        severity=Severity.WARNING,
        on=(op.CreateIndex,),
        check=_check,
        modes="H",
        doc=__doc__,
        fixable=True,
    ),
)
