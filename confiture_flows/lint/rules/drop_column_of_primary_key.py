"""Know that the primary key goes with a column of it.

DROP COLUMN silently drops the primary key that the column is a part of, also one of several
columns. The table then has none: rows can be doubled, and logical replication refuses UPDATE and
DELETE. Nothing is said where the migration adds another.

**Anti-pattern**

```sql
CREATE TABLE prices (shop int, item int, PRIMARY KEY (shop, item));
-- in a later migration:
ALTER TABLE prices DROP COLUMN shop;
```

**Best practice**

```sql
CREATE UNIQUE INDEX CONCURRENTLY prices_item ON prices (item);
ALTER TABLE prices DROP COLUMN shop; -- noqa: CF27
ALTER TABLE prices ADD PRIMARY KEY USING INDEX prices_item;
```

Source: PostgreSQL docs, ALTER TABLE, DROP COLUMN; Logical Replication, Publication
"""

from __future__ import annotations

from confiture_flows.lint._lost_keys import PRIMARY_KEY, lost_key_rule

RULES = (
    lost_key_rule(
        "CF3A",
        "compat.drop_column_of_primary_key",
        PRIMARY_KEY,
        "With {column} of {table} its primary key also goes: {names}.",
        doc=__doc__,
    ),
)
