"""Know which unique keys go with a dropped column.

DROP COLUMN silently drops each UNIQUE that the column is a part of, constraint or index: one of two
columns is gone when one of them is, and duplicates come in.

**Anti-pattern**

```sql
CREATE TABLE prices (shop int, item int, UNIQUE (shop, item));
-- in a later migration:
ALTER TABLE prices DROP COLUMN shop;
```

**Best practice**

```sql
ALTER TABLE prices DROP CONSTRAINT prices_shop_item_key;
ALTER TABLE prices DROP COLUMN shop; -- noqa: CF27
```

Source: PostgreSQL docs, ALTER TABLE, DROP COLUMN
"""

from __future__ import annotations

from confiture_flows.lint._lost_keys import UNIQUE, lost_key_rule

RULES = (
    lost_key_rule(
        "CF33",
        "compat.drop_column_of_unique",
        UNIQUE,
        "With {column} of {table} also go unique keys: {names}.",
        doc=__doc__,
    ),
)
