"""--plan-file: what a command does where its own options say nothing, and what they override."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeVar

from confiture_flows.cli._frame import Options
from confiture_flows.plan_file import read_plan_file
from confiture_flows.report.finding import Finding, Location, Severity

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_flows.cli._frame import Outcome, Work
    from confiture_flows.plan_file import PlanFile

_Value = TypeVar("_Value")


@dataclass
class FollowedPlan:
    """A plan file beside the options of a command.

    Attributes:
        plan: What it says.
        file: Where it stands.
        overridden: What was given on the command line instead.
    """

    plan: PlanFile
    file: Path
    overridden: list[Finding] = field(default_factory=list)

    def option(self, name: str, given: _Value | None, said: _Value | None) -> _Value | None:
        """What holds: the option where it is given, and what the plan says where it is not."""
        if given is None:
            return said
        if said is not None and str(given) != str(said):
            self._overrides(f"{name} {given} is given here, and not {said} as the plan says.")
        return given

    def switch(self, name: str, given: bool | None, *, said: bool) -> bool:
        """The same for an option that is on, off, or not given."""
        if given is None or given == said:
            return said
        option = f"--{'' if given else 'no-'}{name}"
        so = "true" if said else "false"
        self._overrides(f"{option} is given here, and the plan says {name} = {so}.")
        return given

    def _overrides(self, message: str) -> None:
        where = Location(self.file)
        found = Finding("plan_file.overridden", Severity.INFO, message, location=where)
        self.overridden.append(found)

    def tell(self, work: Work) -> None:
        """Say what is overridden before anything runs; a program reads it in the findings."""
        if work.options.json or not self.overridden:
            return
        from confiture_flows.report.console import console
        from confiture_flows.report.text import print_findings

        print_findings(console(sys.stderr), tuple(self.overridden))

    def told_in(self, work: Work, outcome: Outcome) -> Outcome:
        """The outcome of a command for a program, with what is overridden among its findings."""
        if not work.options.json:
            return outcome
        return replace(outcome, findings=(*self.overridden, *outcome.findings))


def follow(work: Work, file: Path, command: Literal["migrate", "anonymize"]) -> FollowedPlan:
    """Read a plan, and let the project of a command be as it says.

    Raises:
        ConfigError: It cannot be read, or is for another command.
    """
    plan = read_plan_file(file)
    plan.require(command, file)
    work.project = plan.applied_to(work.project, file.parent)
    return FollowedPlan(plan, file)


def follow_to_target(work: Work, file: Path) -> FollowedPlan:
    """The same for a command whose options name a target and a directory.

    Raises:
        ConfigError: See `follow`.
    """
    found = follow(work, file, "migrate")
    options, said = work.options, found.plan.migrations
    if not isinstance(options, Options):
        raise TypeError("This command has no target.")
    if options.dsn is None:
        target = found.option("--target", options.target, found.plan.target)
    else:
        found.option("--dsn", "...", found.plan.target)
        target = options.target
    directory = file.parent / said.directory if said.directory else None
    found.option("--dir", options.dir, directory)
    found.option("--layout", options.layout, said.layout)
    work.options = replace(options, target=target)
    return found
