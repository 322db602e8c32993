"""Switch row security on where there are policies.

A policy does nothing while row security is off: whoever has rights on the table sees all rows.
"""

from __future__ import annotations

from confiture_flows.lint.catalog_rule import CatalogRule
from confiture_flows.report.finding import Severity

QUERY = """
SELECT format('%s has policies, and row security is off.', c.oid::regclass),
       format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', c.oid::regclass)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT c.relrowsecurity
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg_toast%'
  AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)
ORDER BY 1
"""
RULE = CatalogRule("CFD7", "security.row_security", Severity.ERROR, QUERY, __doc__)
