"""`confiture-flows migrate`."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from confiture_flows.cli._frame import Options, framed
from confiture_flows.cli._run import run_direction
from confiture_flows.config import DryRunName, OutOfOrder  # noqa: TC001 - cyclopts reads them

_DEFAULTS = Options()


def migrate(
    *,
    options: Options = _DEFAULTS,
    to: str | None = None,
    plain: Annotated[bool, Parameter(negative="")] = False,
    granularity: Literal["stage", "migration"] = "stage",
    single_transaction: Annotated[bool, Parameter(negative="")] = False,
    out_of_order: OutOfOrder | None = None,
    dry_run: DryRunName | None = None,
) -> int:
    """Apply pending migrations, as a Prefect flow run.

    Args:
        options: Which database and directory.
        to: The last version to apply.
        plain: The same without Prefect.
        granularity: What becomes a task run: each stage, or each migration too.
        single_transaction: All of it, or nothing.
        out_of_order: What becomes of a migration that is pending though a later one is applied.
        dry_run: How far a dry run goes first, whose findings may stop it.
    """
    return framed(
        "migrate",
        options,
        lambda work: run_direction(
            work,
            "up",
            to,
            plain=plain,
            granularity=granularity,
            out_of_order=out_of_order,
            single_transaction=single_transaction,
            dry_run=dry_run,
        ),
    )
