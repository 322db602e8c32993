"""Write statements that can be read.

What PostgreSQL's own parser refuses fails when it is applied, and no rule can judge what it
cannot read: a statement with a mistake, a template that nobody filled in, a DO block in a
language other than PL/pgSQL. EXECUTE of text that is put together when it runs is told as
information.

**Anti-pattern**

```sql
DO $$ BEGIN
  EXECUTE format('ALTER TABLE %I ADD COLUMN x int', current_setting('shop.table'));
END $$;
```

**Best practice**

```sql
ALTER TABLE orders ADD COLUMN x int;
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.Unread, scene: Scene) -> Iterator[Problem]:
    if said.reason == "dynamic":
        yield Problem(
            "Nobody can tell what this EXECUTE does: its text is put together when it runs.",
            "Read it yourself, or write the statements out.",
            severity=Severity.INFO,
        )
        return
    text = scene.statement.sql
    if said.reason == "syntax" and ("{{" in text or "{%" in text or "${" in text):
        step = "It looks like a template: give placeholders values, or lint what comes out of it."
    elif said.reason == "syntax":
        step = "Mend the statement."
    else:
        step = "Read it yourself; what it does is judged by no rule."
    what = {"syntax": "PostgreSQL's parser refuses this", "language": "This cannot be read"}
    yield Problem(
        f"{what.get(said.reason, 'The body cannot be read')}: {said.message}.",
        step,
        severity=None if said.reason == "syntax" else Severity.WARNING,
    )


RULES = (
    Rule(
        code="CF90",
        name="meta.unread_statement",
        category="meta",
        severity=Severity.ERROR,
        on=(op.Unread,),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=False,
    ),
)
