"""Add serial columns with the table, not later.

Each row that exists gets a number: the whole table is written anew under ACCESS EXCLUSIVE.

**Anti-pattern**

```sql
ALTER TABLE orders ADD COLUMN number bigserial;
```

**Best practice**

```sql
ALTER TABLE orders ADD COLUMN number bigint;
CREATE SEQUENCE orders_number OWNED BY orders.number;
ALTER TABLE orders ALTER COLUMN number SET DEFAULT nextval('orders_number');
-- fill the old rows in batches, in a migration of its own
```

Source: PostgreSQL docs, ALTER TABLE, Notes; Numeric Types, Serial Types
"""

from __future__ import annotations

from confiture_flows.lint._rewritten import added_column_rule

RULES = (
    added_column_rule(
        "CF1B",
        "safety.serial_column",
        "serial",
        lambda column: column.type.serial,
        "Add a plain column, give it a sequence's next value as default, and fill it in batches.",
        doc=__doc__,
    ),
)
