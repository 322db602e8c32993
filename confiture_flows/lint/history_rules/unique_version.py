"""Give each migration a version of its own.

A version is what the ledger knows a migration by: of two with one version, only one would run.

**Anti-pattern**

`0007_note.up.sql` of one branch beside `0007_index.up.sql` of another.

**Best practice**

`0007_note.up.sql` and `0008_index.up.sql`.
"""

from __future__ import annotations

from confiture_flows.lint.history_rule import HistoryRule
from confiture_flows.report.finding import Severity

RULE = HistoryRule(
    "CF8D", "state.unique_version", Severity.ERROR, "history.duplicate", __doc__, ledger=False
)
