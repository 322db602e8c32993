"""PostgreSQL schema migrations as Prefect flows.

The public names, loaded when they are first used: importing this package imports
neither Prefect nor a database driver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows._lazy import lazy_names

if TYPE_CHECKING:
    from confiture_flows.blocks import MigrationProject, PostgresTarget
    from confiture_flows.errors import ConfitureFlowsError
    from confiture_flows.flows import dry_run_flow, migrate_flow, rollback_flow
    from confiture_flows.target import Target

__all__ = [
    "ConfitureFlowsError",
    "MigrationProject",
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
        "MigrationProject": "confiture_flows.blocks",
        "PostgresTarget": "confiture_flows.blocks",
        "Target": "confiture_flows.target",
        "dry_run_flow": "confiture_flows.flows",
        "migrate_flow": "confiture_flows.flows",
        "rollback_flow": "confiture_flows.flows",
    },
)


def __dir__() -> list[str]:
    # `prefect block register -m confiture_flows` looks for blocks among these.
    return sorted({*globals(), *__all__})
