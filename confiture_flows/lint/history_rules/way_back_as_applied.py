"""Leave the way back as it was when the migration was applied.

The ledger keeps what the down script was. A rollback runs what stands in the file now, which may
not be what takes back the migration that ran.

**Anti-pattern**

Change `0007_orders.down.sql` when `0007` is in production.

**Best practice**

Put the file back as it was; or read both, and see that the new one takes back what was applied.
"""

from __future__ import annotations

from confiture_flows.lint.history_rule import HistoryRule
from confiture_flows.report.finding import Severity

RULE = HistoryRule(
    "CF8F", "state.way_back_as_applied", Severity.WARNING, "history.down_edited", __doc__
)
