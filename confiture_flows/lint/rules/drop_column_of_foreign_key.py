"""Know which foreign keys go with a dropped column.

DROP COLUMN silently drops each foreign key of several columns that the column is a part of: the
others then point to whatever they like.

**Anti-pattern**

```sql
CREATE TABLE items (shop int, number int, PRIMARY KEY (shop, number));
CREATE TABLE prices (shop int, number int, FOREIGN KEY (shop, number) REFERENCES items);
-- in a later migration:
ALTER TABLE prices DROP COLUMN shop;
```

**Best practice**

```sql
ALTER TABLE prices DROP CONSTRAINT prices_shop_number_fkey;
ALTER TABLE prices DROP COLUMN shop; -- noqa: CF27
```

Source: PostgreSQL docs, ALTER TABLE, DROP COLUMN
"""

from __future__ import annotations

from confiture_flows.lint._lost_keys import FOREIGN_KEY, lost_key_rule

RULES = (
    lost_key_rule(
        "CF3B",
        "compat.drop_column_of_foreign_key",
        FOREIGN_KEY,
        "With {column} of {table} also go foreign keys: {names}.",
        doc=__doc__,
    ),
)
