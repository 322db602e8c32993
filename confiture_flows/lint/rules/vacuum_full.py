"""Do not VACUUM FULL in a migration.

It copies the whole table under ACCESS EXCLUSIVE: nobody can read it meanwhile.

**Anti-pattern**

```sql
VACUUM FULL orders;
```

**Best practice**

```sql
-- pg_repack or pg_squeeze do it beside the traffic
VACUUM orders;
```

Source: PostgreSQL docs, VACUUM
"""

from __future__ import annotations

from confiture_flows.lint._rewritten import maintenance_rule

RULES = (maintenance_rule("CF19", "safety.vacuum_full", "vacuum full", doc=__doc__),)
