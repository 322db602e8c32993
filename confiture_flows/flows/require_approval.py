"""Built-in hook: nothing is applied that nobody has approved.

The run asks before this hook is called, with an artifact and a form; the hook refuses a plan that
was not approved in this very run, so that no other way in goes around it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from confiture_flows.errors import ConfigError, HookError
from confiture_flows.flows._approval_rule import HOOK, approved
from confiture_flows.hooks.builtin._options import HookOptions, read_options
from confiture_flows.hooks.model import HookResult
from confiture_flows.migrations.approval import ApprovalRule, plan_hash

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from confiture_flows.config import HookConfig
    from confiture_flows.hooks.model import HookContext

DEFAULTS = {"on_failure": "abort"}


class RequireApprovalOptions(HookOptions):
    """What [hooks.options] may say."""

    when: Literal["always", "above:info", "above:warning", "above:error"] = "always"
    timeout: float = Field(default=86_400, gt=0)


class RequireApproval:
    """The hook.

    Args:
        rule: When a plan has to be approved.
    """

    def __init__(self, rule: ApprovalRule) -> None:
        self.rule = rule

    def __call__(self, context: HookContext) -> HookResult:
        """Refuse what nobody has approved."""
        if context.plan is None:
            raise HookError(
                "there is no plan yet to approve", next_step='Use it at point = "before_apply".'
            )
        if not self.rule.asks(context.findings):
            return HookResult(message="no finding asks for an approval")
        number = plan_hash(context.plan, context.target)
        if (context.run_id, number) not in approved:
            raise HookError(
                f"nobody has approved the plan {number}",
                next_step="Only a flow run can ask for it: leave out --plain.",
            )
        return HookResult(message=f"the plan {number} is approved")


def check(table: HookConfig) -> None:
    """Refuse what would let a plan run that nobody has approved, or ask when all is done.

    Raises:
        ConfigError: It is of another point than before_apply, or lets a failure pass.
    """
    if table.points != ("before_apply",):
        raise ConfigError(
            f"The hook {HOOK!r} is for the point before_apply, and for no other.",
            next_step='Write point = "before_apply".',
        )
    if table.on_failure == "warn":
        raise ConfigError(
            f'The hook {HOOK!r} cannot have on_failure = "warn": what nobody has approved would '
            "run.",
            next_step="Take on_failure out.",
        )


def make(options: dict[str, Any], root: Path) -> RequireApproval:
    """The hook for what a file says.

    Raises:
        ConfigError: An option is wrong.
    """
    return RequireApproval(rule_of(options))


def rule_of(options: Mapping[str, Any]) -> ApprovalRule:
    """When a plan has to be approved, by the options of the hook.

    Raises:
        ConfigError: An option is wrong.
    """
    said = read_options(RequireApprovalOptions, HOOK, dict(options))
    return ApprovalRule(said.when, said.timeout)
