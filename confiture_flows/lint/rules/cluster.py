"""Do not CLUSTER in a migration.

It copies the whole table, in the order of an index, under ACCESS EXCLUSIVE: nobody can read it
meanwhile. Without a name it does so to each table that was clustered before.

**Anti-pattern**

```sql
CLUSTER orders USING orders_pkey;
```

**Best practice**

```sql
-- pg_repack puts rows in order beside the traffic
ALTER TABLE orders CLUSTER ON orders_pkey;
```

Source: PostgreSQL docs, CLUSTER
"""

from __future__ import annotations

from confiture_flows.lint._rewritten import maintenance_rule

RULES = (maintenance_rule("CF1C", "safety.cluster", "cluster", doc=__doc__),)
