"""Keep no index with which another begins.

An index of (a, b) finds by a as well; one of (a) alone costs at each write. It may pay where it is
a great deal smaller.
"""

from __future__ import annotations

from confiture_flows.lint.catalog_rule import CatalogRule
from confiture_flows.report.finding import Severity

QUERY = """
SELECT format('The index %s of %s begins as %s does.', b.indexrelid::regclass,
              b.indrelid::regclass, min(a.indexrelid::regclass::text)),
       format('DROP INDEX CONCURRENTLY %s;', b.indexrelid::regclass)
FROM pg_index b
JOIN pg_index a ON a.indrelid = b.indrelid AND a.indexrelid <> b.indexrelid
    AND a.indnkeyatts > b.indnkeyatts
    AND (a.indkey::int2[])[0:b.indnkeyatts - 1]
        = (b.indkey::int2[])[0:b.indnkeyatts - 1]
    AND (a.indclass::oid[])[0:b.indnkeyatts - 1]
        = (b.indclass::oid[])[0:b.indnkeyatts - 1]
    AND (a.indcollation::oid[])[0:b.indnkeyatts - 1]
        = (b.indcollation::oid[])[0:b.indnkeyatts - 1]
    AND (a.indoption::int2[])[0:b.indnkeyatts - 1]
        = (b.indoption::int2[])[0:b.indnkeyatts - 1]
JOIN pg_class ca ON ca.oid = a.indexrelid
JOIN pg_class cb ON cb.oid = b.indexrelid
JOIN pg_am m ON m.oid = ca.relam AND m.oid = cb.relam AND m.amname = 'btree'
JOIN pg_namespace n ON n.oid = cb.relnamespace
WHERE a.indisvalid AND b.indisvalid AND NOT b.indisunique AND b.indnatts = b.indnkeyatts
  AND a.indpred IS NULL AND b.indpred IS NULL AND a.indexprs IS NULL AND b.indexprs IS NULL
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg_toast%'
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = b.indexrelid)
GROUP BY b.indexrelid, b.indrelid
ORDER BY 1
"""
RULE = CatalogRule("CFDC", "index.no_prefix_index", Severity.INFO, QUERY, __doc__)
