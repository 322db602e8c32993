"""End each transaction that the file begins.

Where nobody ends it, all of the file is rolled back when the connection closes; confiture-flows
refuses to run such a file. No program can know whether COMMIT is missing or BEGIN too much, so
nothing is mended.

**Anti-pattern**

```sql
BEGIN;
ALTER TABLE orders ADD COLUMN a int;
```

**Best practice**

```sql
BEGIN;
ALTER TABLE orders ADD COLUMN a int;
COMMIT;
```

Source: PostgreSQL docs, BEGIN
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import Inside

if TYPE_CHECKING:
    from collections.abc import Iterator

_BOUNDARIES = ("begin", "commit", "rollback")


def _check(said: op.TransactionControl, scene: Scene) -> Iterator[Problem]:
    if said.inside is not Inside.SCRIPT or said.command != "begin" or scene.script.more:
        return  # what follows may end it
    later = [each for each in scene.later() if isinstance(each, op.TransactionControl)]
    # What another BEGIN leaves open, that one is told for.
    if not any(each.command in _BOUNDARIES for each in later if each.inside is Inside.SCRIPT):
        yield Problem(
            "The transaction that begins here is never ended.", "Add the COMMIT, or take BEGIN out."
        )


RULES = (
    Rule(
        code="CF2A",
        name="safety.end_transactions",
        category="transactions",
        severity=Severity.WARNING,
        on=(op.TransactionControl,),
        check=_check,
        modes="S",
        doc=__doc__,
    ),
)
