"""Index the columns of foreign keys.

Each DELETE of a row that a key points to reads the whole referencing table, if no index begins with
the key's columns. Tables that nobody would wait for are let be.
"""

from __future__ import annotations

from confiture_flows.lint.catalog_rule import CatalogRule
from confiture_flows.report.finding import Severity

QUERY = """
SELECT format('The foreign key %I of %s has no index.', k.conname, k.conrelid::regclass),
       format('CREATE INDEX CONCURRENTLY ON %s (%s);', k.conrelid::regclass,
              (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY u.place)
               FROM unnest(k.conkey) WITH ORDINALITY u(number, place)
               JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number))
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND c.reltuples >= 10000
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg_toast%'
  AND NOT EXISTS (
    SELECT FROM pg_index i
    WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL
      AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey)
ORDER BY 1
"""
RULE = CatalogRule("CFD4", "index.index_foreign_keys", Severity.WARNING, QUERY, __doc__)
