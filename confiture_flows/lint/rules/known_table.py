"""Change only tables that a migration has made.

No migration makes the table or view, or one drops it before: the statement fails on a database
that was made from the same migrations. Nothing is told where the history cannot say it all: after
a migration in Python, SQL that could not be read, a call of a function that may do anything, or
another table that came from elsewhere.

**Anti-pattern**

```sql
CREATE TABLE orders (id bigint PRIMARY KEY);
-- in a later migration:
ALTER TABLE oders ADD COLUMN note text;
```

**Best practice**

```sql
-- in a later migration:
ALTER TABLE orders ADD COLUMN note text;
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import IN_SCRIPT

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.TableOperation | op.DropObject, scene: Scene) -> Iterator[Problem]:
    state = scene.state
    if said.if_exists or said.inside is not IN_SCRIPT:
        return
    if not state.complete or not state.tables:
        return
    if isinstance(said, op.DropObject):
        if said.object_kind not in ("table", "view", "materialized view"):
            return
        name = said.name
    else:
        name = said.table
    if not state.knows_relation(name):
        yield Problem(
            f"No migration before this has made {name}.",
            "Look for a slip of the pen, or for the migration that is missing.",
        )


RULES = (
    Rule(
        code="CF87",
        name="state.known_table",
        category="state",
        severity=Severity.WARNING,
        on=(
            op.TableOperation,
            op.DropObject,
        ),
        check=_check,
        modes="H",
        doc=__doc__,
        fixable=False,
    ),
)
