"""Begin and end a transaction once, or leave it to the runner.

A BEGIN inside a transaction only warns, and a COMMIT without one does nothing or ends the runner's
own. `--fix` takes out what does nothing: a plain BEGIN inside a transaction, and a plain COMMIT
without one right after another, or at the end of the file. One that something follows is left to
people: it parts what comes before from what comes after. So is BEGIN ISOLATION LEVEL ..., which
changes the transaction that is open.

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

from confiture_flows.lint._steps import leave_out_control
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op
from confiture_flows.sql.parts import Inside

if TYPE_CHECKING:
    from collections.abc import Iterator


_ENDS = ("commit", "rollback")


def _check(said: op.TransactionControl, scene: Scene) -> Iterator[Problem]:
    if said.inside is not Inside.SCRIPT:
        return
    earlier = [each for each in scene.earlier() if isinstance(each, op.TransactionControl)]
    control = [each.command for each in earlier if each.inside is Inside.SCRIPT]
    boundaries = [each for each in control if each in ("begin", *_ENDS)]
    is_open = boundaries[-1] == "begin" if boundaries else scene.script.begun
    if said.command == "begin" and is_open:
        edits = leave_out_control(scene, said)
        yield Problem("A transaction is open already.", "Take this BEGIN out.", edits=edits)
    elif said.command in _ENDS and not is_open:
        idle = said.command == "commit" and _does_nothing(scene)
        yield Problem(
            f"No transaction of the file is open: {said.command.upper()} would end the runner's.",
            "Take the line out, or add the BEGIN.",
            edits=leave_out_control(scene, said) if idle else (),
        )


def _does_nothing(scene: Scene) -> bool:
    """Whether a COMMIT without a transaction has nothing before it, or nothing after it."""
    before = scene.script.statements[scene.number - 1].operations[:1] if scene.number else ()
    ended = [each for each in before if isinstance(each, op.TransactionControl)]
    return any(each.command in _ENDS for each in ended) or (
        scene.number == len(scene.script.statements) - 1 and not scene.script.more
    )


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
        fixable=True,
    ),
)
