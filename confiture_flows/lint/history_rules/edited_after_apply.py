"""Leave a migration as it was applied.

What the ledger's checksum was made of is not what stands in the file: a new database becomes
another than those that have run it. Repeatable migrations may change, and so may comments where
the checksum leaves them out.

**Anti-pattern**

Add a column to `0007_orders.up.sql`, which production ran last week.

**Best practice**

Put the file back as it was, and add the column in `0012_orders_note.up.sql`.
"""

from __future__ import annotations

from confiture_flows.lint.history_rule import HistoryRule
from confiture_flows.report.finding import Severity

RULE = HistoryRule("CF8A", "state.edited_after_apply", Severity.ERROR, "history.edited", __doc__)
