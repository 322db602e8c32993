"""Flows: the lifecycle as Prefect runs. One flow a file.

_stages.py makes task runs of the lifecycle's stages, _hooks.py calls hooks; notify.py and
require_approval.py are the built-in hooks that need Prefect; run.py runs flows for the command
line; deploy.py and trigger.py talk to a server about deployments.

A flow is its file and a name in the tables below; to be deployed by the configuration it also
needs its word in `_wanted._MODULES` and in `FlowName` of _deployment_config.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows._lazy import lazy_names

if TYPE_CHECKING:
    from confiture_flows.flows.anonymize import anonymize_flow
    from confiture_flows.flows.copy_and_migrate import copy_and_migrate_flow
    from confiture_flows.flows.drift import drift_flow
    from confiture_flows.flows.dry_run import dry_run_flow
    from confiture_flows.flows.lint import lint_flow
    from confiture_flows.flows.migrate import migrate_flow
    from confiture_flows.flows.rollback import rollback_flow

__all__ = [
    "anonymize_flow",
    "copy_and_migrate_flow",
    "drift_flow",
    "dry_run_flow",
    "lint_flow",
    "migrate_flow",
    "rollback_flow",
]

__getattr__ = lazy_names(
    __name__,
    {
        "anonymize_flow": "confiture_flows.flows.anonymize",
        "copy_and_migrate_flow": "confiture_flows.flows.copy_and_migrate",
        "drift_flow": "confiture_flows.flows.drift",
        "dry_run_flow": "confiture_flows.flows.dry_run",
        "lint_flow": "confiture_flows.flows.lint",
        "migrate_flow": "confiture_flows.flows.migrate",
        "rollback_flow": "confiture_flows.flows.rollback",
    },
)
