"""Put checks on columns instead of domains.

A CHECK of a domain cannot be added without reading each table that uses the domain, and a
column with such a type is written anew when it is added.

**Anti-pattern**

```sql
CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
```

**Best practice**

```sql
CREATE TABLE users (id bigint PRIMARY KEY, email text CHECK (email LIKE '%@%'));
```

Source: PostgreSQL docs, CREATE DOMAIN, Notes
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator


def _check(said: op.CreateType | op.AlterDomain, scene: Scene) -> Iterator[Problem]:
    adds = isinstance(said, op.AlterDomain) and said.change == "add constraint"
    made = isinstance(said, op.CreateType) and said.type_kind == "domain" and said.constraints
    if adds or made:
        yield Problem(
            f"The domain {said.name} has a constraint, which is costly to change.",
            "Put the CHECK on the columns.",
        )


RULES = (
    Rule(
        code="CF54",
        name="types.domain_constraint",
        category="types",
        severity=Severity.INFO,
        on=(
            op.CreateType,
            op.AlterDomain,
        ),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=False,
    ),
)
