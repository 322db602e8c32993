"""Add identity columns with the table, not later.

Each row that exists gets a number: the whole table is written anew under ACCESS EXCLUSIVE.

**Anti-pattern**

```sql
ALTER TABLE orders ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY;
```

**Best practice**

```sql
ALTER TABLE orders ADD COLUMN number bigint;
-- 0043 fills the old rows in batches; once the column is NOT NULL:
-- 0045 ALTER TABLE orders ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY;
```

Source: PostgreSQL docs, ALTER TABLE, Notes
"""

from __future__ import annotations

from confiture_flows.lint._rewritten import added_column_rule

RULES = (
    added_column_rule(
        "CF1A",
        "safety.identity_column",
        "identity",
        lambda column: bool(column.identity),
        "Add a plain column, fill it in batches, and make it an identity when it is NOT NULL.",
        doc=__doc__,
    ),
)
