"""Fix the search_path of SECURITY DEFINER functions.

Who can create objects in a schema of the caller's search_path decides what the names in the
function mean, and the function has its owner's rights.
"""

from __future__ import annotations

from confiture_flows.lint.catalog_rule import CatalogRule
from confiture_flows.report.finding import Severity

QUERY = """
SELECT format('%s runs with its owner''s rights and its caller''s search_path.',
              p.oid::regprocedure),
       format('ALTER FUNCTION %s SET search_path = %L;', p.oid::regprocedure, '')
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.prosecdef
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg_toast%'
  AND NOT EXISTS (SELECT FROM unnest(p.proconfig) s WHERE s LIKE 'search_path=%')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
ORDER BY 1
"""
RULE = CatalogRule("CFD8", "security.definer_search_path", Severity.WARNING, QUERY, __doc__)
