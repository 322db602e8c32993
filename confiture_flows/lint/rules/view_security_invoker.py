"""Let views over tables with row security ask as the one who reads.

A view reads its tables with the rights of its owner, whom row security mostly does not bind:
whoever may read the view sees all rows. PostgreSQL 15 and later have security_invoker.

**Anti-pattern**

```sql
CREATE TABLE notes (id bigint PRIMARY KEY, owner text);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE VIEW all_notes AS SELECT * FROM notes;
```

**Best practice**

```sql
CREATE TABLE notes (id bigint PRIMARY KEY, owner text);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE VIEW all_notes WITH (security_invoker = true) AS SELECT * FROM notes;
```

Source: PostgreSQL docs, CREATE VIEW, Notes
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._edits import insert_before_word
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confiture_flows.sql.parts import ObjectName


_SWITCHES = ("enable row security", "disable row security")


def _check(said: op.CreateView, scene: Scene) -> Iterator[Problem]:
    if said.materialized or said.security_invoker or said.temporary:
        return
    protected = [str(each) for each in said.reads if _protected(each, scene)]
    if protected and not _set_later(said.view, scene):
        yield Problem(
            f"{said.view} shows the rows of {', '.join(protected)} past their row security.",
            "Add WITH (security_invoker = true).",
            edits=insert_before_word(
                scene, said, "as", "WITH (security_invoker = true) ", unless="with"
            ),
        )


def _protected(name: ObjectName, scene: Scene) -> bool:
    table = scene.table(name)
    if table is None:
        return False
    change = None
    for each in scene.later():
        if isinstance(each, op.AlterTable) and scene.table(each.table) is table:
            change = each.change if each.change in _SWITCHES else change
    return change == _SWITCHES[0] if change else table.row_security


def _set_later(view: ObjectName, scene: Scene) -> bool:
    return any(
        isinstance(each, op.AlterTable)
        and each.table == view
        and "security_invoker" in each.subject
        for each in scene.later()
    )


RULES = (
    Rule(
        code="CF81",
        name="security.view_security_invoker",
        category="security",
        severity=Severity.WARNING,
        on=(op.CreateView,),
        check=_check,
        modes="H",
        doc=__doc__,
        fixable=True,
    ),
)
