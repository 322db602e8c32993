"""Keep no index twice.

Two indexes of the same columns, order, condition and method cost twice at each write.
"""

from __future__ import annotations

from confiture_flows.lint.catalog_rule import CatalogRule
from confiture_flows.report.finding import Severity

QUERY = """
SELECT format('%s of %s is the same index as %s.', b.indexrelid::regclass, b.indrelid::regclass,
              a.indexrelid::regclass),
       format('DROP INDEX CONCURRENTLY %s;', b.indexrelid::regclass)
FROM pg_index a
JOIN pg_index b ON a.indrelid = b.indrelid AND a.indexrelid <> b.indexrelid
  AND a.indkey = b.indkey AND a.indclass = b.indclass AND a.indoption = b.indoption
  AND a.indcollation = b.indcollation AND a.indnkeyatts = b.indnkeyatts
  AND pg_get_expr(a.indexprs, a.indrelid) IS NOT DISTINCT FROM pg_get_expr(b.indexprs, b.indrelid)
  AND pg_get_expr(a.indpred, a.indrelid) IS NOT DISTINCT FROM pg_get_expr(b.indpred, b.indrelid)
JOIN pg_class ca ON ca.oid = a.indexrelid
JOIN pg_class cb ON cb.oid = b.indexrelid AND ca.relam = cb.relam
JOIN pg_namespace n ON n.oid = cb.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg_toast%'
  AND a.indisvalid AND b.indisvalid
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = b.indexrelid)
  AND (a.indisunique AND NOT b.indisunique OR a.indisunique = b.indisunique
       AND (a.indexrelid < b.indexrelid
            OR EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = a.indexrelid)))
ORDER BY 1
"""
RULE = CatalogRule("CFD3", "index.no_duplicate_index", Severity.WARNING, QUERY, __doc__)
