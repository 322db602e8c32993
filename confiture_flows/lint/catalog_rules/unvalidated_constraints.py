"""Validate what was added as NOT VALID.

Rows that were there before may break the rule, and the planner cannot count on it.
"""

from __future__ import annotations

from confiture_flows.lint.catalog_rule import CatalogRule
from confiture_flows.report.finding import Severity

QUERY = """
SELECT format('The constraint %I of %s was never validated.', k.conname, k.conrelid::regclass),
       format('ALTER TABLE %s VALIDATE CONSTRAINT %I;', k.conrelid::regclass, k.conname)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT k.convalidated
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg_toast%'
ORDER BY 1
"""
RULE = CatalogRule("CFD6", "constraint.validate_constraints", Severity.WARNING, QUERY, __doc__)
