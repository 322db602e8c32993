"""`confiture-flows migrate`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - cyclopts reads it
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from confiture_flows.cli._frame import Options, framed
from confiture_flows.cli._run import run_direction
from confiture_flows.config import DryRunName, OutOfOrder  # noqa: TC001 - cyclopts reads them

if TYPE_CHECKING:
    from confiture_flows.cli._frame import Outcome, Work

_DEFAULTS = Options()


def migrate(
    *,
    options: Options = _DEFAULTS,
    to: str | None = None,
    plain: bool | None = None,
    granularity: Literal["stage", "migration"] = "stage",
    single_transaction: Annotated[bool, Parameter(negative="")] = False,
    out_of_order: OutOfOrder | None = None,
    dry_run: DryRunName | None = None,
    plan_file: Path | None = None,
) -> int:
    """Apply pending migrations, as a Prefect flow run.

    Args:
        options: Which database and directory.
        to: The last version to apply.
        plain: The same without Prefect; --no-plain overrides a plan file that says so.
        granularity: What becomes a task run: each stage, or each migration too.
        single_transaction: All of it, or nothing.
        out_of_order: What becomes of a migration that is pending though a later one is applied.
        dry_run: How far a dry run goes first, whose findings may stop it.
        plan_file: What the wizard has saved; options given here come before it.
    """
    return framed(
        "migrate",
        options,
        lambda work: _run(
            work,
            plan_file,
            to,
            dry_run,
            plain=plain,
            granularity=granularity,
            out_of_order=out_of_order,
            single_transaction=single_transaction,
        ),
    )


def _run(
    work: Work,
    plan_file: Path | None,
    to: str | None,
    dry_run: DryRunName | None,
    *,
    plain: bool | None,
    **more: Any,
) -> Outcome:
    if plan_file is None:
        return run_direction(work, "up", to, plain=bool(plain), dry_run=dry_run, **more)
    from confiture_flows.cli._plan_file import follow_to_target

    found = follow_to_target(work, plan_file)
    said = found.plan.migrations
    to = found.option("--to", to, said.to)
    dry_run = found.option("--dry-run", dry_run, said.dry_run)
    plain = found.switch("plain", plain, said=found.plan.plain)
    found.tell(work)
    outcome = run_direction(
        work,
        "up",
        to,
        plain=plain,
        dry_run=dry_run,
        fail_on=found.plan.fail_on,
        **more,
    )
    return found.told_in(work, outcome)
