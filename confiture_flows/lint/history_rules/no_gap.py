"""Leave no gap where versions are counted.

Where migrations are numbered one by one, a number that is missing is one that somebody has yet to
merge, and that then comes out of order; or one that was deleted. Versions that are times, or that
leave room on purpose (10, 20, 30), have no gaps.

**Anti-pattern**

`0001_users.up.sql`, `0002_orders.up.sql`, `0004_index.up.sql`

**Best practice**

`0001_users.up.sql`, `0002_orders.up.sql`, `0003_index.up.sql`
"""

from __future__ import annotations

from confiture_flows.lint.history_rule import HistoryRule
from confiture_flows.report.finding import Severity

RULE = HistoryRule("CF8E", "state.no_gap", Severity.INFO, "history.gap", __doc__, ledger=False)
