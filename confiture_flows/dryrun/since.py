"""A dry run of what a branch adds: which steps run, and of which the report tells. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from confiture_flows.dryrun.findings import findings_of

if TYPE_CHECKING:
    from confiture_flows.dryrun.report import DryRunReport
    from confiture_flows.migrations.plan import Plan


def through_last(plan: Plan, added: frozenset[str]) -> Plan:
    """A plan as far as the last migration that is added: those in between have to run before it.

    Returns:
        A plan without steps where nothing of it is added.
    """
    places = [n for n, step in enumerate(plan.steps) if step.migration.version in added]
    return replace(plan, steps=plan.steps[: places[-1] + 1] if places else ())


def only_added(report: DryRunReport, added: frozenset[str], revision: str) -> DryRunReport:
    """What a report says of added migrations, and of others only that they fail."""
    others = [each for each in report.migrations if each.version not in added]
    if not others:
        return report
    kept = tuple(each for each in report.migrations if each.version in added or each.error)
    locked = {relation for each in kept for relation, _ in each.table_locks}
    ran = ", ".join(each.version for each in others)
    judged = replace(
        report,
        migrations=kept,
        rollback=None,  # of the whole plan; each migration has a proof of its own
        sessions=tuple(each for each in report.sessions if each.relation in locked),
        unknown=(
            *report.unknown,
            f"Pending here, in {revision} already, and not judged: {ran}.",
        ),
    )
    return replace(judged, findings=findings_of(judged))
