"""Give a foreign key the type of what it points to.

An integer that points to a bigint fails once the numbers are larger, and other types are turned
into one another at each comparison.
"""

from __future__ import annotations

from confiture_flows.lint.catalog_rule import CatalogRule
from confiture_flows.report.finding import Severity

QUERY = """
SELECT format('%s.%I is %s, and %s.%I is %s.', k.conrelid::regclass, a.attname,
              format_type(a.atttypid, NULL), k.confrelid::regclass, b.attname,
              format_type(b.atttypid, NULL)),
       'Give both the same type.'
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL unnest(k.conkey, k.confkey) u(own, other)
JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.own
JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = u.other
WHERE k.contype = 'f' AND k.conparentid = 0 AND a.atttypid <> b.atttypid
  AND NOT (a.atttypid IN ('text'::regtype, 'varchar'::regtype)
           AND b.atttypid IN ('text'::regtype, 'varchar'::regtype))
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg_toast%'
ORDER BY 1
"""
RULE = CatalogRule("CFDD", "constraint.foreign_key_types", Severity.WARNING, QUERY, __doc__)
