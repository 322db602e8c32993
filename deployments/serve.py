"""Serve migrate_flow and rollback_flow from this machine; see README.md beside this file."""

from __future__ import annotations

from prefect import serve

from confiture_flows.flows import migrate_flow, rollback_flow


def main() -> None:
    """Serve both until interrupted."""
    serve(
        migrate_flow.to_deployment("migrate", tags=["confiture"]),
        rollback_flow.to_deployment("rollback", tags=["confiture"]),
        limit=1,
    )


if __name__ == "__main__":
    main()
