"""When a person has to approve a plan, and what exactly is approved. Asks no database."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from confiture_flows.config import DRY_RUNS
from confiture_flows.migrations.hook_points import NO_HOOKS, HookPoints
from confiture_flows.migrations.plan import Direction
from confiture_flows.migrations.validate import out_of_order_severity
from confiture_flows.report.finding import Severity
from confiture_flows.target import describe_dsn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from confiture_flows.config import ApproveName
    from confiture_flows.migrations.lifecycle import Request
    from confiture_flows.migrations.plan import Plan
    from confiture_flows.report.finding import Finding
    from confiture_flows.target import Target

_STRICTER: tuple[ApproveName, ...] = (  # each asks more often than the one before
    "never",
    "above:error",
    "above:warning",
    "above:info",
    "always",
)
# A number is shown, and what it is made of may hold secrets of few bits: each guess at one is to
# cost 16 MiB and tens of milliseconds.
_COST = {"n": 2**14, "r": 8, "p": 1}


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

    def asks_of_run(self, target: Target, request: Request, findings: tuple[Finding, ...]) -> bool:
        """Whether a run has to be approved, by what its target says and not by what the run says.

        It is asked about where it was told to look less closely than the target, and where a
        finding would have stopped it by the target's own gate.

        Args:
            target: As it is configured.
            request: What the run was told.
            findings: Those that did not stop it.
        """
        if self.when == "never" or self.asks(findings):
            return self.when != "never"
        looked = request.dry_run or target.dry_run
        if DRY_RUNS.index(looked) < DRY_RUNS.index(target.dry_run):
            return True
        own = [replace(each, severity=_own_severity(each, target)) for each in findings]
        gate = Severity.of(target.fail_on)
        return self.asks(own) or any(each.severity >= gate for each in own)

    def or_stricter(self, other: ApprovalRule) -> ApprovalRule:
        """The one of the two that asks more often."""
        return max(self, other, key=lambda each: _STRICTER.index(each.when))


def _own_severity(finding: Finding, target: Target) -> Severity:
    if finding.code != "history.out_of_order":
        return finding.severity
    return out_of_order_severity(target.out_of_order, production=target.production)


def plan_hash(plan: Plan, target: str) -> str:
    """The scripts of a plan in their order, and where; 16 hexadecimal digits.

    Another script, another order, or a migration that was applied meanwhile gives another hash.
    Values of placeholders are left out.

    Raises:
        MigrationFileError: A script cannot be read.
    """
    said = hashlib.sha256(f"{target}\0{plan.direction}".encode())
    for step in plan.steps:
        said.update(f"\0{step.migration.version}\0{step.replaces or ''}".encode())
        for piece in step.script.pieces():
            said.update(b"\0" + piece.text.encode())
    return said.hexdigest()[:16]


def approval_number(
    plan: Plan, target: Target, request: Request, hooks: HookPoints = NO_HOOKS
) -> str:
    """What an approval is for: all that is executed, how, and where; 16 hexadecimal digits.

    It may be shown, although values of placeholders and options of hooks are part of it.

    Args:
        plan: What is to run.
        target: Where.
        request: How.
        hooks: What is called around it.

    Raises:
        MigrationFileError: A script, or a file of a hook, cannot be read.
    """
    said = hashlib.sha256()
    for each in _content(plan, target, request, hooks):
        said.update(len(each).to_bytes(8, "big") + each)
    return hashlib.scrypt(said.digest(), salt=target.name.encode(), dklen=8, **_COST).hex()


def takes_back(target: Target, plan: Plan, hooks: HookPoints = NO_HOOKS) -> bool:
    """Whether a failure may have what the run has applied undone by the down scripts, unasked."""
    up = plan.direction is Direction.UP
    return up and (target.on_error == "rollback" or hooks.may_take_back)


def _content(plan: Plan, target: Target, request: Request, hooks: HookPoints) -> Iterator[bytes]:
    where = (target.name, describe_dsn(target.dsn), target.ledger)
    how = (plan.direction.value, request.single_transaction, target.verify, target.on_error)
    yield repr((where, how)).encode()
    undone = takes_back(target, plan, hooks)
    for step in plan.steps:
        migration = step.migration
        yield repr((migration.version, step.replaces)).encode()
        yield from step.script.content()
        if undone and migration.down:
            yield b"down"
            yield from migration.down.content()
        if migration.verify and plan.direction is Direction.UP and target.verify != "off":
            yield b"verify"
            yield from migration.verify.content()
    yield b"hooks"
    yield from hooks.content()
