"""Begin and end a transaction once, or leave it to the runner.

A BEGIN inside a transaction only warns, a COMMIT without one does nothing or ends the runner's
own, and a transaction that is never ended is rolled back.

**Anti-pattern**

```sql
BEGIN;
ALTER TABLE orders ADD COLUMN a int;
BEGIN;
ALTER TABLE orders ADD COLUMN b int;
COMMIT;
```

**Best practice**

```sql
ALTER TABLE orders ADD COLUMN a int;
ALTER TABLE orders ADD COLUMN b int;
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


def _check(said: op.TransactionControl, scene: Scene) -> Iterator[Problem]:
    if said.inside is not Inside.SCRIPT:
        return
    earlier = [each for each in scene.earlier() if isinstance(each, op.TransactionControl)]
    control = [each.command for each in earlier if each.inside is Inside.SCRIPT]
    ends = ("commit", "rollback")
    boundaries = [each for each in control if each in ("begin", *ends)]
    is_open = bool(boundaries) and boundaries[-1] == "begin"
    if said.command == "begin" and is_open:
        yield Problem("A transaction is open already.", "Take this BEGIN out.")
    elif said.command in ends and not is_open:
        yield Problem(
            f"No transaction of the file is open: {said.command.upper()} would end the runner's.",
            "Take the line out, or add the BEGIN.",
        )
    elif said.command == "begin" and not any(
        isinstance(each, op.TransactionControl) and each.command in ends for each in scene.later()
    ):
        yield Problem("The transaction that begins here is never ended.", "Add the COMMIT.")


RULES = (
    Rule(
        code="CF25",
        name="safety.transaction_nesting",
        category="transactions",
        severity=Severity.WARNING,
        on=(op.TransactionControl,),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=False,
    ),
)
