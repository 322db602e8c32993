"""When a person has to approve a plan, and what exactly is approved. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confiture_flows.report.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confiture_flows.config import ApproveName
    from confiture_flows.migrations.plan import Plan
    from confiture_flows.report.finding import Finding

_STRICTER: tuple[ApproveName, ...] = (  # each asks more often than the one before
    "never",
    "above:error",
    "above:warning",
    "above:info",
    "always",
)


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """When a plan has to be approved.

    Attributes:
        when: "always", "never", or "above:" and the severity from which on findings ask for it.
        timeout: Seconds that the run waits for it.
    """

    when: ApproveName = "never"
    timeout: float = 86_400.0

    def asks(self, findings: Iterable[Finding]) -> bool:
        """Whether a plan with these findings has to be approved."""
        if self.when in ("never", "always"):
            return self.when == "always"
        gate = Severity.of(self.when.removeprefix("above:"))
        return any(each.severity >= gate for each in findings)

    def or_stricter(self, other: ApprovalRule) -> ApprovalRule:
        """The one of the two that asks more often."""
        return max(self, other, key=lambda each: _STRICTER.index(each.when))


def plan_hash(plan: Plan, target: str) -> str:
    """What an approval is for: the scripts in their order, and where; 16 hexadecimal digits.

    Another script, another order, or a migration that was applied meanwhile gives another hash.
    Values of placeholders are left out, since they may be secrets and a hash can be guessed at.

    Raises:
        MigrationFileError: A script cannot be read.
    """
    said = hashlib.sha256(f"{target}\0{plan.direction}".encode())
    for step in plan.steps:
        said.update(f"\0{step.migration.version}\0{step.replaces or ''}".encode())
        for piece in step.script.pieces():
            said.update(b"\0" + piece.text.encode())
    return said.hexdigest()[:16]
