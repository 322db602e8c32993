"""Move no table with rows to another tablespace in a migration.

SET TABLESPACE copies the table's files under ACCESS EXCLUSIVE: nobody can read it meanwhile. Of a
partitioned table it moves nothing, and says where new partitions go.

**Anti-pattern**

```sql
ALTER TABLE orders SET TABLESPACE fast;
```

**Best practice**

```sql
-- pg_repack moves a table beside the traffic; new tables go there by themselves:
SET LOCAL default_tablespace = fast;
CREATE TABLE orders_2027 (id bigint PRIMARY KEY);
```

Source: PostgreSQL docs, ALTER TABLE, SET TABLESPACE
"""

from __future__ import annotations

from confiture_flows.lint._rewritten import moved_table_rule

RULES = (moved_table_rule("CF1D", "safety.set_tablespace", ("set tablespace",), doc=__doc__),)
