"""PostgreSQL schema migrations as Prefect flows.

The public names, loaded when they are first used: importing this package imports
neither Prefect nor a database driver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows._lazy import lazy_names

if TYPE_CHECKING:
    from confiture_flows.blocks import PostgresTarget
    from confiture_flows.errors import ConfitureFlowsError
    from confiture_flows.flows import dry_run_flow, migrate_flow, rollback_flow
    from confiture_flows.target import Target

__all__ = [
    "ConfitureFlowsError",
    "PostgresTarget",
    "Target",
    "dry_run_flow",
    "migrate_flow",
    "rollback_flow",
]

__getattr__ = lazy_names(
    __name__,
    {
        "ConfitureFlowsError": "confiture_flows.errors",
        "PostgresTarget": "confiture_flows.blocks",
        "Target": "confiture_flows.target",
        "dry_run_flow": "confiture_flows.flows",
        "migrate_flow": "confiture_flows.flows",
        "rollback_flow": "confiture_flows.flows",
    },
)
