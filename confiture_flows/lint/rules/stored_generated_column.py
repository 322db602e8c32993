"""Add stored generated columns with the table, not later.

The value of a stored generated column is computed for each row that exists: the whole table is
written anew under ACCESS EXCLUSIVE.

**Anti-pattern**

```sql
ALTER TABLE orders ADD COLUMN gross numeric GENERATED ALWAYS AS (net * 1.2) STORED;
```

**Best practice**

```sql
ALTER TABLE orders ADD COLUMN gross numeric;
-- a trigger for new rows; the old ones are filled in batches, in a migration of its own
```

Source: PostgreSQL docs, ALTER TABLE, Notes
"""

from __future__ import annotations

from confiture_flows.lint._rewritten import added_column_rule

RULES = (
    added_column_rule(
        "CF10",
        "safety.stored_generated_column",
        "stored generated",
        lambda column: column.generated == "stored",
        "Add a plain column, fill it in batches, and give new rows a trigger.",
        doc=__doc__,
    ),
)
