"""Let views keep the row security of what they read.

A view reads with its owner's rights, and who owns a table is not bound by its policies: the view
shows rows that its reader may not see.
"""

from __future__ import annotations

from confiture_flows.lint.catalog_rule import CatalogRule
from confiture_flows.report.finding import Severity

QUERY = """
SELECT format('%s shows the rows of %s past their row security.', v.oid::regclass,
              string_agg(DISTINCT t.oid::regclass::text, ', ')),
       format('ALTER VIEW %s SET (security_invoker = true);', v.oid::regclass)
FROM pg_class v
JOIN pg_namespace n ON n.oid = v.relnamespace
JOIN pg_rewrite r ON r.ev_class = v.oid
JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
    AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'n'
JOIN pg_class t ON t.oid = d.refobjid AND t.relrowsecurity
WHERE v.relkind = 'v'
  AND NOT coalesce(v.reloptions @> ARRAY['security_invoker=true'], false)
  AND current_setting('server_version_num')::int >= 150000
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg_toast%'
GROUP BY v.oid
ORDER BY 1
"""
RULE = CatalogRule("CFDE", "security.view_security_invoker", Severity.WARNING, QUERY, __doc__)
