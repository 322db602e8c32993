"""Keep what must last in tables that are logged.

An unlogged table is emptied when the server crashes, and standby servers do not have its rows.
"""

from __future__ import annotations

from confiture_flows.lint.catalog_rule import CatalogRule
from confiture_flows.report.finding import Severity

QUERY = """
SELECT format('%s is emptied when the server crashes.', c.oid::regclass),
       format('ALTER TABLE %s SET LOGGED; it writes the table anew.', c.oid::regclass)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence = 'u'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg_toast%'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1
"""
RULE = CatalogRule("CFDI", "design.no_unlogged", Severity.WARNING, QUERY, __doc__)
