"""Prefect blocks: targets, and projects of migrations, that are kept on a Prefect server.

Register them with `prefect block register -m confiture_flows`, which looks in the package's own
`__init__`: a new block is its file here, and a name there. settings.py is what a worker may set.
"""

from confiture_flows.blocks.project import MigrationProject
from confiture_flows.blocks.target import PostgresTarget

__all__ = ["MigrationProject", "PostgresTarget"]
