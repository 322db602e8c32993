"""Rebuild indexes that are mostly air.

Pages of an index that lost their rows are used again for the same values only. Told of B-trees of
plain columns, from ten megabytes and four times what the statistics say their rows need: an
estimate. It wants a table that was analyzed, and a role that may read it.
"""

from __future__ import annotations

from confiture_flows.lint.catalog_rule import CatalogRule
from confiture_flows.report.finding import Severity

QUERY = """
WITH needed AS (
    SELECT i.indexrelid, i.indrelid, x.reltuples,
           -- Eight bytes of header, four of a pointer, aligned to eight; pages are 90 % full.
           x.reltuples * (12 + 8 * ceil(sum(s.avg_width) / 8.0)) / 0.9 AS bytes
    FROM pg_index i
    JOIN pg_class x ON x.oid = i.indexrelid
    JOIN pg_am m ON m.oid = x.relam AND m.amname = 'btree'
    JOIN pg_class c ON c.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL unnest(i.indkey::int2[]) u(number)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.number
    JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname
        AND s.attname = a.attname AND NOT s.inherited
    WHERE i.indisvalid AND i.indexprs IS NULL AND x.relkind = 'i' AND x.reltuples >= 0
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg_toast%'
    GROUP BY i.indexrelid, i.indrelid, i.indnatts, x.reltuples
    HAVING count(*) = i.indnatts
)
SELECT format('The index %s of %s has %s, and its rows need about %s.', indexrelid::regclass,
              indrelid::regclass, pg_size_pretty(pg_relation_size(indexrelid)),
              pg_size_pretty(ceil(bytes)::bigint)),
       format('REINDEX INDEX CONCURRENTLY %s;', indexrelid::regclass)
FROM needed
WHERE pg_relation_size(indexrelid) > greatest(10 << 20, 4 * bytes)
ORDER BY 1
"""
RULE = CatalogRule("CFDB", "index.no_bloated_index", Severity.INFO, QUERY, __doc__)
