"""Prefect blocks: targets that are kept on a Prefect server.

Register them with `prefect block register -m confiture_flows`.
"""

from confiture_flows.blocks.project import MigrationProject
from confiture_flows.blocks.target import PostgresTarget

__all__ = ["MigrationProject", "PostgresTarget"]
