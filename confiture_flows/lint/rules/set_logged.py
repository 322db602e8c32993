"""Choose LOGGED or UNLOGGED with the table, not later.

SET LOGGED and SET UNLOGGED write the whole table anew under ACCESS EXCLUSIVE, LOGGED into the WAL
too: nobody can read it meanwhile.

**Anti-pattern**

```sql
CREATE UNLOGGED TABLE staged (id bigint PRIMARY KEY);
-- in a later migration:
ALTER TABLE staged SET LOGGED;
```

**Best practice**

```sql
CREATE TABLE orders (id bigint PRIMARY KEY);
INSERT INTO orders SELECT id FROM staged WHERE id BETWEEN 1 AND 10000;
```

Source: PostgreSQL docs, ALTER TABLE, SET LOGGED
"""

from __future__ import annotations

from confiture_flows.lint._rewritten import moved_table_rule

RULES = (
    moved_table_rule("CF1F", "safety.set_logged", ("set logged", "set unlogged"), doc=__doc__),
)
