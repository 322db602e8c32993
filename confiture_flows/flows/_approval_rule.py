"""Target + hooks of the configuration -> when its plans have to be approved. Imports no Prefect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confiture_flows.migrations.approval import ApprovalRule

if TYPE_CHECKING:
    from confiture_flows.config import Project
    from confiture_flows.migrations.plan import Direction
    from confiture_flows.target import Target

HOOK = "require_approval"

# What this process has seen approved: the run, and the hash of its plan.
approved: set[tuple[str, str]] = set()


def approval_rule(target: Target, project: Project, direction: Direction) -> ApprovalRule:
    """When plans of a target have to be approved: as it says, or as a hook says more strictly."""
    rule = ApprovalRule(target.approve, target.approve_timeout)
    for hook in project.hooks:
        if hook.use != HOOK or (hook.targets and target.name not in hook.targets):
            continue
        if (hook.direction or "up") in ("both", str(direction)):
            from confiture_flows.flows.require_approval import rule_of

            rule = rule.or_stricter(rule_of(hook.options))
    return rule
