"""Give a migration a version after the last that was applied.

It is pending although a later one is applied: new databases run the two in another order than this
one will. An error on a target with `production = true` or `out_of_order = "refuse"`, a warning
elsewhere, information with `out_of_order = "apply"`.

**Anti-pattern**

Merge a branch with `0007_note.up.sql` when `0008_index.up.sql` of another is in production.

**Best practice**

Name it `0009_note.up.sql` first.
"""

from __future__ import annotations

from confiture_flows.lint.history_rule import HistoryRule
from confiture_flows.report.finding import Severity

RULE = HistoryRule("CF8C", "state.in_order", Severity.ERROR, "history.out_of_order", __doc__)
