"""Run a flow in this process for the command line, which tells its story itself."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect import tags
from prefect.events.worker import EventsWorker
from prefect.exceptions import CancelledRun
from prefect.logging.handlers import APILogHandler

from confiture_flows.config import project_in_force
from confiture_flows.errors import ConfigError, RunCancelledError
from confiture_flows.flows._targets import given_target
from confiture_flows.flows.migrate import migrate_flow
from confiture_flows.flows.own_server import needs_own_server, start_own_server
from confiture_flows.flows.rollback import rollback_flow
from confiture_flows.migrations.plan import Direction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confiture_flows.anonymization.copying.observer import CopyObserver
    from confiture_flows.config import Project
    from confiture_flows.migrations.lifecycle import Request
    from confiture_flows.target import Target
    from confiture_flows.tasks.carry_out import Granularity


def run_as_flow(
    target: Target,
    request: Request,
    direction: Direction,
    granularity: Granularity,
    say: Callable[[str], object],
) -> None:
    """Run migrate_flow or rollback_flow, on the Prefect server of the current profile.

    Args:
        target: The database.
        request: What to do.
        direction: Up for migrate, down for rollback.
        granularity: What becomes a task run.
        say: Is given a line where no server is configured, and one is started.

    Raises:
        ConfitureFlowsError: A stage failed.
        ConfigError: The Prefect server cannot be reached.
    """
    flow: Any = migrate_flow if direction is Direction.UP else rollback_flow
    more = {
        "out_of_order": request.out_of_order,
        "dry_run": request.dry_run,
        "fail_on": request.fail_on,
    }
    with (
        _server_has_to_answer(say),
        given_target(target),
        tags("confiture", f"target:{target.name}"),
        _cancelled_is_an_error(),
    ):
        flow(
            target=target.name,
            directory=str(request.directory.resolve()),
            layout=request.layout,
            to=request.to,
            transaction="as-written" if request.as_written else "auto",
            granularity=granularity,
            single_transaction=request.single_transaction,
            **(more if direction is Direction.UP else {}),
        )


def take_back_as_flow(
    target: Target,
    request: Request,
    versions: tuple[str, ...],
    half_done: str | None,
    say: Callable[[str], object],
) -> None:
    """Run take_back_flow, on the Prefect server of the current profile.

    Args:
        target: The database.
        request: Of the run that failed.
        versions: What it has applied.
        half_done: The version that it was stopped in.
        say: As in `run_as_flow`.

    Raises:
        ConfitureFlowsError: A stage failed.
        ConfigError: The Prefect server cannot be reached.
    """
    from confiture_flows.flows.take_back import take_back_flow

    with (
        _server_has_to_answer(say),
        given_target(target),
        tags("confiture", f"target:{target.name}"),
        _cancelled_is_an_error(),
    ):
        take_back_flow(
            target=target.name,
            versions=list(versions),
            half_done=half_done,
            directory=str(request.directory.resolve()),
            layout=request.layout,
            transaction="as-written" if request.as_written else "auto",
        )


def run_copy_as_flow(
    project: Project,
    source: Target,
    place: Target | Path,
    observer: CopyObserver,
    say: Callable[[str], object],
    **options: Any,
) -> None:
    """Run anonymize_flow, on the Prefect server of the current profile.

    Args:
        project: Whose rules hold.
        source: The database to copy.
        place: The database to become the copy, or a folder.
        observer: Hears of it.
        say: As in `run_as_flow`.
        **options: Further parameters of the flow.

    Raises:
        ConfitureFlowsError: It failed.
        ConfigError: The Prefect server cannot be reached.
    """
    from confiture_flows.flows._copy_progress import copy_watched_by
    from confiture_flows.flows.anonymize import anonymize_flow

    with ExitStack() as stack:
        stack.enter_context(_server_has_to_answer(say))
        stack.enter_context(_cancelled_is_an_error())
        stack.enter_context(project_in_force(project))
        stack.enter_context(given_target(source))
        if isinstance(place, Path):
            where: dict[str, Any] = {"directory": str(place.resolve())}
        else:
            stack.enter_context(given_target(place))
            where = {"target": place.name}
        stack.enter_context(copy_watched_by(observer))
        stack.enter_context(tags("confiture"))
        anonymize_flow(source=source.name, **where, **options)


@contextmanager
def _cancelled_is_an_error() -> Iterator[None]:
    """Let a run that somebody cancelled from elsewhere end in an error of ours.

    Raises:
        RunCancelledError: It was.
    """
    try:
        yield
    except CancelledRun:
        raise RunCancelledError(
            "The run was cancelled, and its query was ended.",
            next_step="Run again to go on: what is applied stays applied.",
        ) from None


@contextmanager
def _server_has_to_answer(say: Callable[[str], object]) -> Iterator[None]:
    if needs_own_server():
        say("Starting a Prefect server for this run, since none is configured ...")
        try:
            start_own_server()
        except RuntimeError as error:
            raise ConfigError(
                f"The Prefect server of this run does not start: {error}",
                next_step="Start one that stays with `prefect server start`, and set "
                "PREFECT_API_URL; or run with --plain, which needs no Prefect.",
            ) from None
    try:
        yield
    except RuntimeError as error:
        if "Failed to reach API" not in str(error):
            raise
        raise ConfigError(
            f"The Prefect server does not answer: {error}",
            next_step="Check PREFECT_API_URL, or run with --plain, which needs no Prefect.",
        ) from None


def send_all() -> None:
    """Send the logs and events that are still on their way, before their server goes away."""
    APILogHandler().flush()
    EventsWorker.drain_all(timeout=10)
