"""Two databases + CopyOptions + an observer -> an anonymized copy, plainly or as a flow."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from confiture_flows.errors import ConfigError
from confiture_flows.runs import quiet_prefect

if TYPE_CHECKING:
    from pathlib import Path

    from confiture_flows.anonymization.copying.values import CopyOptions
    from confiture_flows.config import GateName, Project
    from confiture_flows.runs.copy_progress import CopyProgress
    from confiture_flows.target import Target

ProofMode = Literal["full", "quick", "off"]


def copy_plainly(
    project: Project,
    source: Target,
    place: Target | Path,
    progress: CopyProgress,
    options: CopyOptions,
    *,
    fail_on: GateName | None = None,
    proof: ProofMode | None = None,
) -> None:
    """Copy on threads of this process, without Prefect.

    Args:
        project: Its rules decide what becomes of columns.
        source: The database to copy; it is only read.
        place: The database to become the copy, or a folder.
        progress: Is given the plan, hears of the copy, and keeps its report.
        options: How it is done.
        fail_on: The severity at which findings stop the copy; None is the target's.
        proof: How far the loaded copy is proven; None is as the project says.

    Raises:
        ConfitureFlowsError: It failed; the target is as it was.
    """
    from confiture_flows.anonymization.copy import copy_database
    from confiture_flows.anonymization.keys import secret_of
    from confiture_flows.anonymization.plan import stop_if_refused
    from confiture_flows.anonymization.prepare import folder_of_keys, prepare_copy
    from confiture_flows.anonymization.proof.prove import proof_options, prove_copy
    from confiture_flows.report.finding import Severity
    from confiture_flows.target import connect

    refuse_block(project)
    secret = secret_of(project)
    with folder_of_keys() as folder:
        with connect(source, "anonymize") as conn:
            plan = prepare_copy(conn, project, source, place, secret, folder).plan
        progress.planned(plan)
        stop_if_refused(plan, Severity.of(fail_on or getattr(place, "fail_on", "error")))
        proven = proof_options(project, plan, proof)
        prove = partial(prove_copy, options=proven)
        copy_database(source, place, plan, secret, options, progress, prove, proven.on_leak)


def copy_as_flow(
    project: Project,
    source: Target,
    place: Target | Path,
    progress: CopyProgress,
    options: CopyOptions,
    *,
    fail_on: GateName | None = None,
    proof: ProofMode | None = None,
) -> None:
    """Copy as a flow of Prefect's, on the server of its current profile; see `copy_plainly`.

    Raises:
        ConfitureFlowsError: It failed; the target is as it was.
        ConfigError: The Prefect server cannot be reached.
    """
    quiet_prefect()
    from confiture_flows.flows.run import run_copy_as_flow

    run_copy_as_flow(
        project,
        source,
        place,
        progress,
        progress.said,
        engine=options.engine,
        workers=options.workers,
        replace=options.replace,
        end_sessions=options.end_sessions,
        owners=options.owners,
        fail_on=fail_on,
        in_place=options.in_place,
        proof=proof,
    )


def refuse_block(project: Project) -> None:
    """Refuse a secret that only a flow run can read.

    Raises:
        ConfigError: The configuration names a block.
    """
    if project.anonymization.secret_block is not None:
        raise ConfigError(
            "The secret is in a Prefect block, which only a flow run can read.",
            next_step="Leave out --plain or --dry-run, or set CONFITURE_ANONYMIZATION_SECRET and "
            "take secret_block out.",
        )
