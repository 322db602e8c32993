"""Serve the flows from this machine, for whatever target a run names; see README.md here."""

from __future__ import annotations

from prefect import serve

from confiture_flows.flows import (
    anonymize_flow,
    drift_flow,
    dry_run_flow,
    lint_flow,
    migrate_flow,
    rollback_flow,
)

TAGS = ["confiture"]


def main() -> None:
    """Serve them until interrupted."""
    serve(
        migrate_flow.to_deployment("migrate", tags=TAGS),
        rollback_flow.to_deployment("rollback", tags=TAGS),
        dry_run_flow.to_deployment("dry-run", tags=TAGS),
        lint_flow.to_deployment("lint", tags=TAGS),
        drift_flow.to_deployment("drift", tags=TAGS),
        anonymize_flow.to_deployment("anonymize", tags=TAGS),
        limit=1,
    )


if __name__ == "__main__":
    main()
