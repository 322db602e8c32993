"""Flows: the lifecycle as Prefect runs. One flow a file."""

from confiture_flows.flows.lint import lint_flow
from confiture_flows.flows.migrate import migrate_flow
from confiture_flows.flows.rollback import rollback_flow

__all__ = ["lint_flow", "migrate_flow", "rollback_flow"]
