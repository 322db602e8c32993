"""Keep no index that nothing uses.

An index that was never read costs at each write. The server counts since its statistics were
reset, and each standby counts for itself. Indexes below a megabyte are let be.
"""

from __future__ import annotations

from confiture_flows.lint.catalog_rule import CatalogRule
from confiture_flows.report.finding import Severity

QUERY = """
SELECT format('The index %s of %s was never read since the statistics began; it has %s.',
              s.indexrelid::regclass, s.relid::regclass,
              pg_size_pretty(pg_relation_size(s.indexrelid))),
       'Ask the standby servers too; then drop it concurrently.'
FROM pg_stat_user_indexes s JOIN pg_index i USING (indexrelid)
WHERE s.idx_scan = 0 AND NOT i.indisunique AND i.indisvalid
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = s.indexrelid)
  AND pg_relation_size(s.indexrelid) > 1048576
ORDER BY 1
"""
RULE = CatalogRule("CFD2", "index.no_unused_index", Severity.INFO, QUERY, __doc__)
