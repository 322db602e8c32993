"""Let the database be what its migrations make.

Somebody has changed it by hand, or a migration was edited after it was applied: the next migration
meets another schema than the one it was written for. What is only in the database is told as
information, and not at all where a migration could not be read in full. Asked by comparing the
schema with the text of the migrations that the ledger has; `confiture-flows verify --replay` runs
them and compares everything.
"""

from __future__ import annotations

from confiture_flows.lint.catalog_rule import CatalogRule
from confiture_flows.report.finding import Severity

RULE = CatalogRule("CFD0", "state.drift_between_history_and_live", Severity.WARNING, None, __doc__)
