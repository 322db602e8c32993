"""Know which indexes go with a dropped column.

DROP COLUMN silently drops each index of several columns that the column is a part of: queries by
the others read the whole table.

**Anti-pattern**

```sql
CREATE TABLE prices (shop int, item int);
CREATE INDEX prices_item_shop ON prices (item, shop);
-- in a later migration:
ALTER TABLE prices DROP COLUMN shop;
```

**Best practice**

```sql
CREATE INDEX CONCURRENTLY prices_item ON prices (item);
DROP INDEX CONCURRENTLY prices_item_shop;
ALTER TABLE prices DROP COLUMN shop; -- noqa: CF27
```

Source: PostgreSQL docs, ALTER TABLE, DROP COLUMN
"""

from __future__ import annotations

from confiture_flows.lint._lost_keys import INDEX, lost_key_rule
from confiture_flows.report.finding import Severity

RULES = (
    lost_key_rule(
        "CF3C",
        "compat.drop_column_of_index",
        INDEX,
        "With {column} of {table} also go indexes: {names}.",
        doc=__doc__,
        severity=Severity.WARNING,
    ),
)
