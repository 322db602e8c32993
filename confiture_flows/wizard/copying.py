"""Step 6 of a copy: run it, show it, and ask what becomes of a failure; the target is as it was."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from confiture_flows.errors import ConfitureFlowsError, RunCancelledError
from confiture_flows.wizard.chosen import options_of, project_of, source_of, target_of
from confiture_flows.wizard.monitor import interrupted_words, stream_of
from confiture_flows.wizard.prompts import Choice, Leave, NeedsAnswer

if TYPE_CHECKING:
    from confiture_flows.runs.copy_progress import CopyProgress
    from confiture_flows.wizard.prompts import Screen
    from confiture_flows.wizard.state import WizardState

_STOPPED = "The copy was stopped. What was loaded is dropped, and the target is as it was."


def make_copy(screen: Screen, state: WizardState) -> WizardState:
    """Copy the source to the target, until it is done or somebody leaves.

    Raises:
        Back: Somebody wants to choose otherwise.
        Leave: Somebody left; the target is as it was.
        ConfitureFlowsError: It failed, and there is nobody to choose what becomes of it.
    """
    pair = f"{state.source} -> {state.target}"
    if state.copied == pair:
        screen.say(f"{state.target} is the copy already; it is not made again.", "dim")
        return state
    while True:
        progress, error = _once(screen, state)
        screen.page = progress.url or screen.page
        if error is None and progress.report is not None:
            screen.copy = progress.report
            screen.say(
                f"{progress.report.source} was copied to {progress.report.target}: "
                f"{progress.report.rows:,} rows in {progress.report.seconds:.1f} s",
                "green",
            )
            return state.but(copied=pair)
        _choose(screen, state, error or RunCancelledError(_STOPPED))


def _once(screen: Screen, state: WizardState) -> tuple[CopyProgress, ConfitureFlowsError | None]:
    from confiture_flows.runs.copy_progress import CopyProgress
    from confiture_flows.runs.copying import copy_as_flow, copy_plainly
    from confiture_flows.runs.interrupts import told_at_once

    project, target = project_of(screen, state), target_of(screen, state)
    run = copy_plainly if state.plain else copy_as_flow
    options, gate = options_of(project, state), target.fail_on
    with (
        CopyProgress(stream_of(screen), quiet=False) as progress,
        contextlib.redirect_stdout(sys.stderr),
        told_at_once(progress.said, interrupted_words(state)),
    ):
        try:
            run(project, source_of(screen, state), target, progress, options, fail_on=gate)
        except ConfitureFlowsError as error:
            return progress, error
        except KeyboardInterrupt:
            return progress, RunCancelledError(_STOPPED)
    return progress, None


def _choose(screen: Screen, state: WizardState, error: ConfitureFlowsError) -> None:
    """Return to try again; leave otherwise."""
    screen.tell(error)
    if not isinstance(error, RunCancelledError):
        screen.say("The target is as it was before.")
    choices = (
        Choice("retry", "Try again", "from the beginning"),
        Choice("leave", "Leave it, and resume later"),
    )
    try:
        answer = screen.prompter.select("execute.after_error", "What now?", choices)
    except NeedsAnswer:
        raise error from None
    except (Leave, KeyboardInterrupt):
        answer = "leave"
    if answer == "leave":
        raise Leave(state, "Left the wizard; the target is as it was.")
