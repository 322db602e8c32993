"""Let not everybody create objects in a schema.

Who can create objects in a schema of the search_path can put functions before those that others
call (CVE-2018-1058). PostgreSQL 15 takes the right away in new databases only.
"""

from __future__ import annotations

from confiture_flows.lint.catalog_rule import CatalogRule
from confiture_flows.report.finding import Severity

QUERY = """
SELECT format('Every role may create objects in the schema %I.', n.nspname),
       format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC;', n.nspname)
FROM pg_namespace n, LATERAL aclexplode(n.nspacl) a
WHERE a.grantee = 0 AND a.privilege_type = 'CREATE'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg_toast%'
ORDER BY 1
"""
RULE = CatalogRule("CFDA", "security.no_create_for_public", Severity.ERROR, QUERY, __doc__)
