"""Serve migrate_flow, rollback_flow and dry_run_flow from this machine; see README.md here."""

from __future__ import annotations

from prefect import serve

from confiture_flows.flows import dry_run_flow, migrate_flow, rollback_flow


def main() -> None:
    """Serve them until interrupted."""
    serve(
        migrate_flow.to_deployment("migrate", tags=["confiture"]),
        rollback_flow.to_deployment("rollback", tags=["confiture"]),
        dry_run_flow.to_deployment("dry-run", tags=["confiture"]),
        limit=1,
    )


if __name__ == "__main__":
    main()
