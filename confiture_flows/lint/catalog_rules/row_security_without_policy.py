"""Give a table with row security a policy.

Row security without a policy hides all rows from everybody but the owner.
"""

from __future__ import annotations

from confiture_flows.lint.catalog_rule import CatalogRule
from confiture_flows.report.finding import Severity

QUERY = """
SELECT format('%s has row security and no policy.', c.oid::regclass),
       'Create the policies, or switch row security off.'
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relrowsecurity AND c.relkind IN ('r', 'p')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg_toast%'
  AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)
ORDER BY 1
"""
RULE = CatalogRule("CFDF", "security.row_security_without_policy", Severity.WARNING, QUERY, __doc__)
