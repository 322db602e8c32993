"""Give rights on tables to roles, not to everybody.

What PUBLIC may write, each role may that can connect, also those that are made later. The same of
rights that new tables get by default.
"""

from __future__ import annotations

from confiture_flows.lint.catalog_rule import CatalogRule
from confiture_flows.report.finding import Severity

QUERY = """
SELECT format('Every role may %s %s.', lower(string_agg(a.privilege_type, ', '
              ORDER BY a.privilege_type)), c.oid::regclass),
       format('REVOKE ALL ON %s FROM PUBLIC; and grant to roles.', c.oid::regclass)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL aclexplode(c.relacl) a
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.grantee = 0
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg_toast%'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
GROUP BY c.oid
UNION ALL
SELECT format('Every role gets rights on what %I makes%s.', pg_get_userbyid(d.defaclrole),
              coalesce(format(' in the schema %I', n.nspname), '')),
       'ALTER DEFAULT PRIVILEGES ... REVOKE ... FROM PUBLIC.'
FROM pg_default_acl d
LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
WHERE d.defaclobjtype IN ('r', 'S')
  AND EXISTS (SELECT FROM aclexplode(d.defaclacl) a WHERE a.grantee = 0)
ORDER BY 1
"""
RULE = CatalogRule("CFDH", "security.no_grant_to_public", Severity.WARNING, QUERY, __doc__)
