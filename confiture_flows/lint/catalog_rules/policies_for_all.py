"""Let no policy allow everybody to write everything.

A policy for all roles whose conditions are true is as if there were no row security.
"""

from __future__ import annotations

from confiture_flows.lint.catalog_rule import CatalogRule
from confiture_flows.report.finding import Severity

QUERY = """
SELECT format('The policy %I lets everybody write all rows of %s.', p.polname, c.oid::regclass),
       'Say which rows, or for which role.'
FROM pg_policy p
JOIN pg_class c ON c.oid = p.polrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE p.polpermissive AND p.polcmd <> 'r' AND p.polroles = '{0}'
  AND coalesce(pg_get_expr(p.polqual, p.polrelid), 'true') = 'true'
  AND coalesce(pg_get_expr(p.polwithcheck, p.polrelid), 'true') = 'true'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg_toast%'
ORDER BY 1
"""
RULE = CatalogRule("CFDG", "security.no_policy_for_all", Severity.WARNING, QUERY, __doc__)
