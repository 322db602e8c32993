"""Store secrets hashed or encrypted.

A column named password or secret that holds text is in each backup and dump as it is. Where it
holds a hash, name it so.

**Anti-pattern**

```sql
CREATE TABLE users (id bigint PRIMARY KEY, password text);
```

**Best practice**

```sql
CREATE TABLE users (id bigint PRIMARY KEY, password_hash text);
```
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from confiture_flows.lint._columns import written_types
from confiture_flows.lint.rule import Problem, Rule, Scene
from confiture_flows.report.finding import Severity
from confiture_flows.sql import operation as op

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECRET = re.compile(r"(^|_)(password|passwd|api_key|secret_key|private_key|access_token)$")
_SAFE = re.compile("hash|encrypt|mask|display|public")


def _check(said: op.CreateTable | op.AddColumn, scene: Scene) -> Iterator[Problem]:
    for column, kind in written_types(said):
        name = column.rpartition(".")[2].lower()
        if (
            kind.name.name in ("text", "varchar", "bpchar")
            and _SECRET.search(name)
            and not _SAFE.search(name)
        ):
            yield Problem(
                f"{column} may hold a secret in clear.",
                "Store a hash and name the column so, or encrypt it.",
            )


RULES = (
    Rule(
        code="CF80",
        name="security.no_plaintext_secret",
        category="security",
        severity=Severity.INFO,
        on=(
            op.CreateTable,
            op.AddColumn,
        ),
        check=_check,
        modes="S",
        doc=__doc__,
        fixable=False,
    ),
)
