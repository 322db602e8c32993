"""Leave no invalid index behind.

A CREATE INDEX CONCURRENTLY that failed leaves an index that is written and never read, and IF NOT
EXISTS takes it for the index that is wanted.
"""

from __future__ import annotations

from confiture_flows.lint.catalog_rule import CatalogRule
from confiture_flows.report.finding import Severity

QUERY = """
SELECT format('The index %s of %s is invalid.', i.indexrelid::regclass, i.indrelid::regclass),
       format('DROP INDEX CONCURRENTLY %s; and build it again.', i.indexrelid::regclass)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid AND c.relkind = 'i'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg_toast%'
ORDER BY 1
"""
RULE = CatalogRule("CFD1", "index.no_invalid_index", Severity.ERROR, QUERY, __doc__)
