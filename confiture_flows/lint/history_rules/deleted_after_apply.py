"""Keep the files of what was applied.

The ledger has versions that are not in the directory. A new database does not get what they did,
and nobody can take it back. Versions that an import knows as archived are not meant.

**Anti-pattern**

Delete `0003_users.up.sql`, since all databases have it.

**Best practice**

Restore it from the history of the repository.
"""

from __future__ import annotations

from confiture_flows.lint.history_rule import HistoryRule
from confiture_flows.report.finding import Severity

RULE = HistoryRule("CF8B", "state.deleted_after_apply", Severity.ERROR, "history.deleted", __doc__)
