"""Change no access method of a table with rows in a migration.

SET ACCESS METHOD writes the whole table anew under ACCESS EXCLUSIVE: nobody can read it meanwhile.
Of a partitioned table it writes nothing, and says what new partitions have.

**Anti-pattern**

```sql
ALTER TABLE orders SET ACCESS METHOD columnar;
```

**Best practice**

```sql
CREATE TABLE orders_archive (id bigint PRIMARY KEY, total numeric) USING columnar;
-- fill it in batches, in a migration of its own
```

Source: PostgreSQL docs, ALTER TABLE, SET ACCESS METHOD
"""

from __future__ import annotations

from confiture_flows.lint._rewritten import moved_table_rule

RULES = (moved_table_rule("CF1E", "safety.set_access_method", ("set access method",), doc=__doc__),)
