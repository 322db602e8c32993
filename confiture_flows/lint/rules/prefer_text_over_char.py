"""Store text as text, not as char.

char(n) is filled up with spaces, which comparisons ignore and other operations do not, and is
no faster.

**Anti-pattern**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, code char(3));
```

**Best practice**

```sql
CREATE TABLE t (id bigint PRIMARY KEY, code text CHECK (length(code) = 3));
```

Source: PostgreSQL wiki, Don't Do This
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint._columns import written_types
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(
    said: op.CreateTable | op.AddColumn | op.AlterColumnType, scene: Scene
) -> Iterator[Problem]:
    for column, kind in written_types(said):
        if (
            not kind.name.schema
            and kind.name.name == "bpchar"
            and (kind.modifiers or ())[:1] != (1,)
        ):
            yield Problem(
                f"{column} is a char, which is filled up with spaces.",
                "Use text, with a CHECK where the length matters.",
            )


RULES = (
    Rule(
        code="CF45",
        name="types.prefer_text_over_char",
        category="types",
        severity=Severity.WARNING,
        on=(
            op.CreateTable,
            op.AddColumn,
            op.AlterColumnType,
        ),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=False,
    ),
)
