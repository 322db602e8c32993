"""Flows: the lifecycle as Prefect runs. One flow a file."""

from confiture_flows.flows.anonymize import anonymize_flow
from confiture_flows.flows.dry_run import dry_run_flow
from confiture_flows.flows.lint import lint_flow
from confiture_flows.flows.migrate import migrate_flow
from confiture_flows.flows.rollback import rollback_flow

__all__ = ["anonymize_flow", "dry_run_flow", "lint_flow", "migrate_flow", "rollback_flow"]
