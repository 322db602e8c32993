"""Keep primary keys narrow.

Each row that points to the table repeats all columns of its key, and so does each index there.
Told from five columns on.
"""

from __future__ import annotations

from confiture_flows.lint.catalog_rule import CatalogRule
from confiture_flows.report.finding import Severity

QUERY = """
SELECT format('The primary key of %s has %s columns.', k.conrelid::regclass,
              cardinality(k.conkey)),
       'Number the rows, and keep the columns unique by a constraint.'
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'p' AND k.conparentid = 0 AND cardinality(k.conkey) > 4
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg_toast%'
ORDER BY 1
"""
RULE = CatalogRule("CFDJ", "design.narrow_primary_key", Severity.INFO, QUERY, __doc__)
