"""Flow: copy a database, anonymized by the rules of the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from prefect import flow, tags, task, unmapped
from prefect.futures import as_completed
from prefect.states import Cancelled
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.utilities.annotations import opaque

from confiture_flows import tasks
from confiture_flows.anonymization.copy import open_copy
from confiture_flows.anonymization.copying.refusals import database_to_load
from confiture_flows.anonymization.copying.report import CopyReport
from confiture_flows.anonymization.copying.values import CopyOptions
from confiture_flows.anonymization.plan import stop_if_refused
from confiture_flows.anonymization.prepare import folder_of_keys, refuse_target
from confiture_flows.anonymization.proof.prove import proof_options
from confiture_flows.config import GateName, load_project
from confiture_flows.errors import ConfigError, ConfitureFlowsError
from confiture_flows.flows._copy_progress import ProgressArtifact, current_copy_observer
from confiture_flows.flows._plan_file import named_after, planned, required
from confiture_flows.flows._project import project_of
from confiture_flows.flows._stages import page_of_run
from confiture_flows.flows._targets import resolve_target
from confiture_flows.report.finding import Severity
from confiture_flows.tasks._policy import COMPUTED
from confiture_flows.tasks.copy import publish_copy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confiture_flows.anonymization.copy import Copying
    from confiture_flows.anonymization.copying.values import ChunkResult, CopyAccess
    from confiture_flows.anonymization.keys import Secret
    from confiture_flows.anonymization.plan import CopyPlan
    from confiture_flows.anonymization.proof.report import LeakReport, ProofOptions
    from confiture_flows.config import Project
    from confiture_flows.target import Target

_Value = TypeVar("_Value")


@flow(name="anonymize", flow_run_name=named_after("anonymize", "source"), validate_parameters=True)
def anonymize_flow(
    source: str | None = None,
    target: str | None = None,
    directory: str | None = None,
    engine: Literal["auto", "sql", "python"] = "auto",
    workers: int = 2,
    replace: bool = False,
    end_sessions: bool = False,
    owners: bool = False,
    fail_on: GateName | None = None,
    in_place: bool = False,
    proof: Literal["full", "quick", "off"] | None = None,
    project: str | None = None,
    plan_file: str | None = None,
) -> CopyReport:
    """Copy a database, anonymized; the target changes at the very end, or not at all.

    Args:
        source: Name of the target or block to copy; it is only read.
        target: Name of the target or block to become the copy.
        directory: A folder for files of COPY, instead of a target.
        engine: Where values are masked: the source's SQL, our Python, or the cheaper.
        workers: How many chunks are copied at once.
        replace: Whether a target may be replaced that no earlier copy has made.
        end_sessions: Whether sessions on the target are ended when the copy takes its name.
        owners: Whether owners and rights are copied; their roles have to be there.
        fail_on: The severity at which findings stop the run; as the target says when empty.
        in_place: Whether the rows go into the target's own, empty tables, in one transaction.
        proof: How far the loaded copy is proven; as the configuration says when empty.
        project: Name of a MigrationProject block; the worker's own project when empty.
        plan_file: What the wizard has saved; parameters come before it, and it before the project.

    Returns:
        How it went.

    Raises:
        ConfigError: The rules do not fit the source; nothing was copied.
        GateError: Findings stop the run; nothing was copied.
        LeakError: The proof of the copy failed; the target is as it was.
        CopyError: The copy failed; the target is as it was.
    """
    with project_of(project):
        said = load_project()
        if plan := planned(plan_file, "anonymize"):
            said = plan.applied_to(said, Path(str(plan_file)).parent)
            replace = replace or (plan.anonymization.replace and not (target or directory))
            target = target or (None if directory else plan.target)
            source, fail_on = source or plan.source, fail_on or plan.fail_on
        place, origin = _place(target, directory), resolve_target(required(source))
        options = CopyOptions(
            engine=engine,
            workers=workers,
            replace=replace,
            end_sessions=end_sessions,
            owners=owners,
            modules=said.anonymization.strategies,
            in_place=in_place,
        )
        gate = Severity.of(fail_on or getattr(place, "fail_on", "error"))
        return _planned_copy(said, origin, place, options, gate, proof)


def _planned_copy(
    project: Project,
    origin: Target,
    place: Target | Path,
    options: CopyOptions,
    gate: Severity,
    proof: Literal["full", "quick", "off"] | None,
) -> CopyReport:
    """Plan a copy, and carry it out if nothing refuses it."""
    refuse_target(origin, place)
    secret = flow_secret(project)
    if options.in_place:
        database_to_load(place, options)
    given = (_whole(origin), _whole(place), _whole(secret))
    with tags(f"target:{getattr(place, 'name', 'files')}"), folder_of_keys() as folder:
        plan = tasks.plan_copy(*given, folder, project=_whole(project))
        if url := page_of_run():
            current_copy_observer().page(url)
        current_copy_observer().planned(plan)
        stop_if_refused(plan, gate)
        return _copy(origin, place, plan, secret, options, proof_options(project, plan, proof))


def _copy(
    source: Target,
    place: Target | Path,
    plan: CopyPlan,
    secret: Secret | None,
    options: CopyOptions,
    proof: ProofOptions,
) -> CopyReport:
    """Carry out a plan that nothing refuses."""
    observer = ProgressArtifact(current_copy_observer())
    try:
        with observer, open_copy(source, place, plan, secret, options, observer) as copying:
            results = _copied(copying, copying.access.options.workers, observer)
            report = _finish(copying, results, proof)
    except ConfitureFlowsError:
        if not observer.cancelled:
            raise
        # A flow that returns a state ends in it, and its caller never sees the value.
        return Cancelled(  # pyright: ignore[reportReturnType]
            message="The run was cancelled; the target is as it was."
        )
    publish_copy(_whole(report))
    return report


def flow_secret(project: Project) -> Secret | None:
    """The secret of the anonymization; only a flow can read it from a Prefect block.

    Raises:
        ConfigError: It cannot be read.
    """
    from confiture_flows.anonymization.keys import Secret, secret_of

    name = project.anonymization.secret_block
    if name is None:
        return secret_of(project)
    from prefect.blocks.system import Secret as SecretBlock

    try:
        block: Any = SecretBlock.load(name, _sync=True)  # pyright: ignore[reportCallIssue]
    except ValueError:
        raise ConfigError(
            f"There is no Prefect Secret block {name!r}, which anonymization.secret_block names.",
            next_step="Save one of that name, of 32 random bytes or more.",
        ) from None
    return Secret(str(block.get()).encode())


def _place(target: str | None, directory: str | None) -> Any:
    if (target is None) == (directory is None):
        raise ConfigError(
            "An anonymized copy goes to a target or to a directory.",
            next_step="Name one of them.",
        )
    return resolve_target(target) if target is not None else Path(str(directory))


def _whole(value: _Value) -> _Value:
    """An argument that Prefect need not look into for results of other task runs."""
    return cast("_Value", opaque(value))


def _copied(copying: Copying, workers: int, observer: ProgressArtifact) -> list[ChunkResult]:
    """Copy all chunks as task runs, so many at once; the first failure ends all."""
    if not copying.chunks:
        return []
    number = copying.access.number
    given = {
        "access": unmapped(opaque(copying.access)),
        "chunk": list(copying.chunks),
        "observer": unmapped(opaque(observer)),
    }
    observer.can_stop(lambda: tasks.stop_copying(number))
    with ThreadPoolTaskRunner(max_workers=max(1, workers)) as runner:
        futures: list[Any] = list(runner.map(tasks.copy_table, given))
        try:
            return [future.result() for future in as_completed(futures)]
        except BaseException:
            tasks.stop_copying(number)
            raise


def _finish(copying: Copying, results: list[ChunkResult], proof: ProofOptions) -> CopyReport:
    def prove(access: CopyAccess, plan: CopyPlan, rows: Mapping[str, int]) -> LeakReport:
        return tasks.prove_copy(_whole(access), _whole(plan), rows, proof)

    @task(name="finish copy", task_run_name="finish copy", **COMPUTED)
    def finish_copy() -> CopyReport:
        """Indexes, keys, sequences and the new name; not tried again, as it may be half done."""
        return copying.finish(results, prove, proof.on_leak)

    return finish_copy()
