"""Each stage of a migration's life as a Prefect task, to compose own flows from.

Tasks take a `Target` and open it themselves; what passes between them are frozen
values. Retries read the error's `retryable`, and the ledger makes them safe.

A task is its file, with a policy of _policy.py, and a name in the tables below; guarded.py opens a
connection whose query ends with the task run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows._lazy import lazy_names

if TYPE_CHECKING:
    from confiture_flows.tasks.apply import apply_plan
    from confiture_flows.tasks.copy import copy_table, plan_copy, prove_copy, stop_copying
    from confiture_flows.tasks.discover import discover_migrations
    from confiture_flows.tasks.drift import detect_drift
    from confiture_flows.tasks.dry_run import dry_run_plan
    from confiture_flows.tasks.ledger import read_ledger
    from confiture_flows.tasks.lint import lint_migrations
    from confiture_flows.tasks.plan import plan_migrations
    from confiture_flows.tasks.publish import publish_report
    from confiture_flows.tasks.rollback import rollback_plan
    from confiture_flows.tasks.validate import validate_migrations
    from confiture_flows.tasks.verify import verify_migrations

__all__ = [
    "apply_plan",
    "copy_table",
    "detect_drift",
    "discover_migrations",
    "dry_run_plan",
    "lint_migrations",
    "plan_copy",
    "plan_migrations",
    "prove_copy",
    "publish_report",
    "read_ledger",
    "rollback_plan",
    "stop_copying",
    "validate_migrations",
    "verify_migrations",
]

__getattr__ = lazy_names(
    __name__,
    {
        "apply_plan": "confiture_flows.tasks.apply",
        "copy_table": "confiture_flows.tasks.copy",
        "detect_drift": "confiture_flows.tasks.drift",
        "discover_migrations": "confiture_flows.tasks.discover",
        "dry_run_plan": "confiture_flows.tasks.dry_run",
        "lint_migrations": "confiture_flows.tasks.lint",
        "plan_copy": "confiture_flows.tasks.copy",
        "plan_migrations": "confiture_flows.tasks.plan",
        "prove_copy": "confiture_flows.tasks.copy",
        "publish_report": "confiture_flows.tasks.publish",
        "read_ledger": "confiture_flows.tasks.ledger",
        "rollback_plan": "confiture_flows.tasks.rollback",
        "stop_copying": "confiture_flows.tasks.copy",
        "validate_migrations": "confiture_flows.tasks.validate",
        "verify_migrations": "confiture_flows.tasks.verify",
    },
)
