"""Put wide columns before narrow ones, where rows are many.

A bigint begins at a multiple of eight bytes: a boolean before it takes eight bytes, not one. Told
of tables with a million rows that lose eight bytes or more in each, of the columns before the
first whose length differs from row to row.
"""

from __future__ import annotations

from confiture_flows.lint.catalog_rule import CatalogRule
from confiture_flows.report.finding import Severity

QUERY = """
WITH RECURSIVE fixed AS (
    SELECT a.attrelid, a.attlen, CASE a.attalign WHEN 'd' THEN 8 WHEN 'i' THEN 4
                                                 WHEN 's' THEN 2 ELSE 1 END AS alignment,
           row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum) AS place,
           bool_and(a.attlen > 0) OVER (PARTITION BY a.attrelid ORDER BY a.attnum) AS even
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.reltuples >= 1000000 AND a.attnum > 0 AND NOT a.attisdropped
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg_toast%'
), laid AS (
    SELECT attrelid, place, attlen::int AS length FROM fixed WHERE place = 1 AND even
    UNION ALL
    SELECT f.attrelid, f.place, l.length + (f.alignment - l.length % f.alignment) % f.alignment
                                + f.attlen
    FROM laid l JOIN fixed f ON f.attrelid = l.attrelid AND f.place = l.place + 1 AND f.even
), lost AS (
    SELECT l.attrelid, max(l.length)
           - (SELECT sum(f.attlen) FROM fixed f WHERE f.attrelid = l.attrelid AND f.even)
           AS bytes
    FROM laid l GROUP BY l.attrelid
)
SELECT format('The order of its columns costs %s %s bytes in each of %s rows.',
              attrelid::regclass, bytes, c.reltuples::bigint),
       'Where it is written anew for another reason, put wide columns first.'
FROM lost JOIN pg_class c ON c.oid = attrelid WHERE bytes >= 8
ORDER BY 1
"""
RULE = CatalogRule("CFDK", "design.column_padding", Severity.INFO, QUERY, __doc__)
