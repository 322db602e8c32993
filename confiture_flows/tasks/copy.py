"""Tasks: a planned copy, a chunk of a table, what is left to do at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.logging import get_run_logger

from confiture_flows.anonymization import copy
from confiture_flows.anonymization.copying.workers import end_workers
from confiture_flows.anonymization.outlook import plan_document
from confiture_flows.anonymization.prepare import prepare_copy
from confiture_flows.anonymization.proof import prove
from confiture_flows.anonymization.trial import DEFAULT_ROWS
from confiture_flows.config import load_project
from confiture_flows.errors import CopyError, CopyInterruptedError
from confiture_flows.report.finding import Severity
from confiture_flows.report.markdown import render_markdown
from confiture_flows.target import connect
from confiture_flows.tasks._policy import COMPUTED, RETRIED
from confiture_flows.tasks.publish import artifact_key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from confiture_flows.anonymization.copying.observer import CopyObserver
    from confiture_flows.anonymization.copying.report import CopyReport
    from confiture_flows.anonymization.copying.values import Chunk, ChunkResult, CopyAccess
    from confiture_flows.anonymization.keys import Secret
    from confiture_flows.anonymization.plan import CopyPlan
    from confiture_flows.anonymization.proof.report import LeakReport, ProofOptions
    from confiture_flows.config import Project
    from confiture_flows.target import Target

_stopped: set[int] = set()

# What is in a result is copied, or holds rules with their options: nothing to be kept by a server.
_KEPT_NOWHERE = {**RETRIED, "persist_result": False}


@task(name="plan copy", task_run_name="plan copy", **_KEPT_NOWHERE)
def plan_copy(
    source: Target,
    target: Target | Path,
    secret: Secret | None,
    folder: Path,
    rows: int = DEFAULT_ROWS,
    project: Project | None = None,
) -> CopyPlan:
    """Plan a copy by the configuration, try it on sample rows, and write an artifact about it.

    Findings are returned, not raised; `stop_if_refused` makes an error of them.

    Args:
        source: The database to copy; only read.
        target: The database to become the copy, or a folder.
        secret: What keys are made from.
        folder: Where the keys of a subset are written.
        rows: How many rows of each table are tried.
        project: Whose rules hold; None is what the configuration says.

    Raises:
        ConfigError: The configuration is wrong.
        TargetError: The source does not answer, or refuses.
    """
    with connect(source, "anonymize") as conn:
        known = project or load_project()
        planned = prepare_copy(conn, known, source, target, secret, folder, rows)
    plan, name = planned.plan, getattr(target, "name", "files")
    logger = get_run_logger()
    for finding in plan.findings:
        if finding.severity > Severity.INFO:
            logger.warning("%s: %s [%s]", finding.severity.label, finding.message, finding.code)
    create_markdown_artifact(
        key=artifact_key("copy-plan", name),
        markdown=render_markdown(plan_document(plan, source.name, name)),
        description=f"What is copied from {source.name} to {name}",
        _sync=True,  # pyright: ignore[reportCallIssue]
    )
    return plan


@task(name="copy table", task_run_name="copy {chunk}", **_KEPT_NOWHERE)
def copy_table(
    access: CopyAccess, chunk: Chunk, observer: CopyObserver | None = None
) -> ChunkResult:
    """Copy one chunk of a table; may be called again after any failure.

    Args:
        access: Of the copy, from `open_copy`; it has to be open until all chunks are done.
        chunk: One of its chunks.
        observer: Hears of rows on their way.

    Raises:
        CopyInterruptedError: A connection broke; a retry copies the chunk again.
        StrategyError: A strategy failed, or did what it says it never does.
        CopyError: A statement failed, or the snapshot is gone.
    """
    if access.number in _stopped:
        raise CopyError("The copy was stopped before this chunk.")
    try:
        result = copy.copy_chunk(access, chunk, observer)
    except CopyInterruptedError as error:
        if access.number in _stopped:  # its process was ended, which is no reason to try again
            raise CopyError("The copy was stopped in this chunk.") from error
        raise
    get_run_logger().info("%s: %s rows in %.1f s", chunk, f"{result.rows:,}", result.seconds)
    return result


def stop_copying(number: int) -> None:
    """End the chunks of a copy of this process, and let none of them begin.

    Args:
        number: The copy's, of `CopyAccess`.
    """
    _stopped.add(number)
    end_workers(number)


@task(name="prove copy", task_run_name="prove copy", **_KEPT_NOWHERE)
def prove_copy(
    access: CopyAccess, plan: CopyPlan, rows: Mapping[str, int], options: ProofOptions
) -> LeakReport:
    """Compare a loaded copy with its source, and write an artifact about it.

    A failure is returned, not raised; `Copying.finish` makes an error of it.

    Args:
        access: Of the copy, whose snapshot is still held.
        plan: What was to be copied.
        rows: How many rows the copy has written, by table.
        options: What is proven.

    Raises:
        CopyInterruptedError: A connection broke; a retry looks again.
        CopyError: A statement failed, or the snapshot is gone.
    """
    try:
        report = prove.prove_copy(access, plan, rows, options)
    except CopyInterruptedError as error:
        if access.number in _stopped:  # its processes were ended, which is no reason to try again
            raise CopyError("The copy was stopped while it was proven.") from error
        raise
    logger = get_run_logger()
    for each in report.failed:
        logger.error("%s: %s [%s]", each.where, each.said, each.code)
    name = getattr(access.place, "name", "files")
    create_markdown_artifact(
        key=artifact_key("copy-proof", name),
        markdown=render_markdown(report.document()),
        description=f"Leak proof of {name}: {report.verdict}",
        _sync=True,  # pyright: ignore[reportCallIssue]
    )
    return report


@task(name="publish copy", task_run_name="publish copy", **COMPUTED)
def publish_copy(report: CopyReport) -> None:
    """Write how a copy went into an artifact of the run."""
    create_markdown_artifact(
        key=artifact_key("copy", report.target),
        markdown=render_markdown(report.document()),
        description=f"{report.source} copied to {report.target}: {report.rows:,} rows",
        _sync=True,  # pyright: ignore[reportCallIssue]
    )
