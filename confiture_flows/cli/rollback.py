"""`confiture-flows rollback`."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from confiture_flows.cli._frame import Options, framed
from confiture_flows.cli._run import run_direction

_DEFAULTS = Options()


def rollback(
    *,
    options: Options = _DEFAULTS,
    to: str | None = None,
    plain: Annotated[bool, Parameter(negative="")] = False,
    granularity: Literal["stage", "migration"] = "stage",
    single_transaction: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Undo the latest migration, or all after a version, as a Prefect flow run.

    Args:
        options: Which database and directory.
        to: The last version to keep; "zero" keeps none.
        plain: The same without Prefect.
        granularity: What becomes a task run: each stage, or each migration too.
        single_transaction: All of it, or nothing.
    """
    return framed(
        "rollback",
        options,
        lambda work: run_direction(
            work,
            "down",
            to,
            plain=plain,
            granularity=granularity,
            single_transaction=single_transaction,
        ),
    )
