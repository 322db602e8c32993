"""Flows: the lifecycle as Prefect runs. One flow a file."""

from confiture_flows.flows.migrate import migrate_flow
from confiture_flows.flows.rollback import rollback_flow

__all__ = ["migrate_flow", "rollback_flow"]
