"""What happened -> an event on the Prefect server, about a target or one of its migrations.

Resource ids are stable: `confiture.target.NAME` and `confiture.migration.NAME.VERSION`. Prefect
adds the flow run and the task run that an event belongs to. docs/explanation/events.md lists all.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from prefect.events import emit_event

from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from confiture_flows.migrations.migration import Migration
    from confiture_flows.report.finding import Finding


class StageEvent(StrEnum):
    """What is told."""

    DISCOVERED = "confiture.migrations.discovered"
    VALIDATED = "confiture.migrations.validated"
    PLANNED = "confiture.migrations.planned"
    DRY_RUN = "confiture.migrations.dry-run"
    VERIFIED = "confiture.migrations.verified"
    APPROVAL_ASKED = "confiture.approval.asked"
    APPROVAL_GIVEN = "confiture.approval.given"
    APPROVAL_REJECTED = "confiture.approval.rejected"
    APPROVAL_TIMED_OUT = "confiture.approval.timed-out"
    APPLIED = "confiture.migration.applied"
    ROLLED_BACK = "confiture.migration.rolled-back"
    MIGRATION_FAILED = "confiture.migration.failed"
    RUN_COMPLETED = "confiture.run.completed"
    RUN_FAILED = "confiture.run.failed"
    RUN_CANCELLED = "confiture.run.cancelled"
    DRIFT_DETECTED = "confiture.drift.detected"
    DRIFT_UNKNOWN = "confiture.drift.unknown"


def tell(event: StageEvent, target: str, payload: Mapping[str, Any] | None = None) -> None:
    """Emit an event about a target.

    Args:
        event: What happened.
        target: The target's name.
        payload: More of it; nothing secret, and no values of rows.
    """
    emit_event(event.value, resource=_target(target), payload=dict(payload or {}))


def tell_of_migration(
    event: StageEvent,
    target: str,
    migration: Migration,
    payload: Mapping[str, Any],
    occurred: datetime | None = None,
) -> None:
    """Emit an event about a migration of a target.

    Args:
        event: What happened to it.
        target: The target's name.
        migration: Which one.
        payload: More of it; nothing secret, and no values of rows.
        occurred: When; now if None.
    """
    emit_event(
        event.value,
        occurred=occurred,
        resource={
            "prefect.resource.id": f"confiture.migration.{target}.{migration.version}",
            "prefect.resource.name": migration.label,
        },
        related=[{**_target(target), "prefect.resource.role": "target"}],
        payload={"version": migration.version, "name": migration.name, **payload},
    )


def severities(findings: Iterable[Finding]) -> dict[str, int]:
    """How many findings there are of each severity, for a payload."""
    found = [finding.severity for finding in findings]
    return {each.label: found.count(each) for each in Severity}


def _target(name: str) -> dict[str, str]:
    return {"prefect.resource.id": f"confiture.target.{name}", "prefect.resource.name": name}
