"""`confiture-flows deploy`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from confiture_flows.cli._frame import (
    DirectoryOptions,
    Outcome,
    Work,
    can_ask,
    framed,
    quiet_prefect,
    says_yes,
)
from confiture_flows.errors import ConfigError, RunCancelledError

if TYPE_CHECKING:
    from confiture_flows.flows.deploy import DeployPlan


def deploy(
    *,
    pool: str | None = None,
    yes: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Create or update the Prefect deployments of confiture.toml. Shows what differs first.

    Without [deployments]: migrate, rollback and dry run on demand, for each target.

    Args:
        pool: The work pool of deployments that name none.
        yes: Do it without asking.
        json: Print one JSON object.
    """
    return framed("deploy", DirectoryOptions(json=json), lambda work: _run(work, pool, yes=yes))


def _run(work: Work, pool: str | None, *, yes: bool) -> Outcome:
    if pool == "":
        raise ConfigError("--pool is empty.", next_step="Leave it out, or say which.")
    quiet_prefect()
    from confiture_flows.flows.deploy import carry_out_deployments, plan_deployments

    plan = plan_deployments(work.project, pool)
    if not plan.to_do:
        return Outcome(plan.json(done=False), plan.document())
    asked = not yes and can_ask(work.options)
    if not yes and not asked:
        return _unconfirmed(plan)
    if not work.options.json:
        _show(plan)
    if asked and not says_yes("Make it so?"):
        raise RunCancelledError("Not confirmed; nothing is changed.")
    carry_out_deployments(plan)
    return Outcome(plan.json(done=True), plan.done_document())


def _unconfirmed(plan: DeployPlan) -> Outcome:
    from dataclasses import replace

    from confiture_flows.report.document import Paragraph

    error = ConfigError(
        "Nothing is changed yet.", next_step="If this is right, run the same with --yes."
    )
    document = plan.document()
    last = Paragraph(f"{error.message} {error.next_step}")
    shown = replace(document, blocks=(*document.blocks, last))
    return Outcome(plan.json(done=False), shown, error=error)


def _show(plan: DeployPlan) -> None:
    from confiture_flows.report.console import console
    from confiture_flows.report.text import print_document

    print_document(console(sys.stdout), plan.document())
