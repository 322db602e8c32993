"""Give a table that others may use row security, where its schema has it.

In a schema whose other tables have row security, a table without it is most likely forgotten:
the roles that have rights on it see all of its rows.
"""

from __future__ import annotations

from confiture_flows.lint.catalog_rule import CatalogRule
from confiture_flows.report.finding import Severity

QUERY = """
SELECT format('%s has no row security, unlike others of its schema, and rights for %s.',
              c.oid::regclass,
              string_agg(DISTINCT coalesce(r.rolname::text, 'everybody'), ', '
                         ORDER BY coalesce(r.rolname::text, 'everybody'))),
       format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, and give it policies; or REVOKE.',
              c.oid::regclass)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL aclexplode(c.relacl) a
LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE c.relkind IN ('r', 'p') AND NOT c.relrowsecurity AND NOT c.relispartition
  AND a.grantee <> c.relowner
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg_toast%'
  AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
  AND EXISTS (
      SELECT FROM pg_class o WHERE o.relnamespace = c.relnamespace AND o.relrowsecurity
  )
GROUP BY c.oid
ORDER BY 1
"""
RULE = CatalogRule("CFDL", "security.row_security_beside", Severity.WARNING, QUERY, __doc__)
