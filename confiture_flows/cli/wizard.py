"""`confiture-flows wizard`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from confiture_flows.cli._frame import INTERRUPTED
from confiture_flows.errors import ConfitureFlowsError
from confiture_flows.report.console import console
from confiture_flows.runs import quiet_prefect

if TYPE_CHECKING:
    from confiture_flows.wizard.session import WizardSession
    from confiture_flows.wizard.state import WizardState


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class WizardOptions:
    """How it asks, and where it begins."""

    resume: Annotated[
        bool, Parameter(help="Go on where an earlier wizard of this folder was left.", negative="")
    ] = False
    answers: Annotated[
        Path | None, Parameter(help="A TOML file with answers; what it leaves open is asked.")
    ] = None
    yes: Annotated[
        bool,
        Parameter(
            help="With --answers: ask nobody. What is open takes its default, what has to be "
            "confirmed is.",
            negative="",
        ),
    ] = False
    plain_prompts: Annotated[
        bool,
        Parameter(
            help="Ask line by line, for screen readers and terminals that cannot be redrawn.",
            negative="",
        ),
    ] = False
    plain: Annotated[
        bool,
        Parameter(
            help="The same without Prefect: no block is offered, and it runs in this process.",
            negative="",
        ),
    ] = False
    dir: Annotated[
        Path | None, Parameter(help="Directory of the migrations [default: db/migrations].")
    ] = None
    layout: Annotated[
        str | None, Parameter(help="How it writes migrations down [default: detected].")
    ] = None


_DEFAULTS = WizardOptions()


def wizard(*, options: WizardOptions = _DEFAULTS) -> int:
    """Ask, step by step, what to migrate or to copy; show what it would do; and do it.

    Nothing is changed before the last question. Esc goes back; Ctrl-C leaves, and
    --resume goes on from there. Exits 2 where there is nobody to ask.

    Args:
        options: How it asks, and where it begins.
    """
    from confiture_flows.wizard.prompts import Leave

    quiet_prefect()
    session: WizardSession | None = None
    try:
        session = _session(options)
        session.run(_beginning(session, options))
    except (Leave, KeyboardInterrupt) as left:
        _print_left(left.said if isinstance(left, Leave) else "Interrupted; nothing was changed.")
        return INTERRUPTED
    except ConfitureFlowsError as error:
        if session is None or session.screen.told is not error:
            from confiture_flows.report.text import print_error

            print_error(console(sys.stderr), error)
        return error.exit_code
    return 0


def _session(options: WizardOptions) -> WizardSession:
    from confiture_flows.config import load_project
    from confiture_flows.wizard.prompters.choosing import choose_prompter
    from confiture_flows.wizard.prompts import Screen
    from confiture_flows.wizard.session import WizardSession, all_steps, known_keys
    from confiture_flows.wizard.state import state_file

    steps = all_steps()
    prompter, redraws = choose_prompter(
        options.answers, known_keys(steps), yes=options.yes, plain=options.plain_prompts
    )
    project = load_project()
    folder = project.source.parent if project.source else Path.cwd()
    screen = Screen(prompter, console(sys.stdout), project, options.plain, not redraws)
    screen.attended = options.answers is None or not (options.yes or not sys.stdin.isatty())
    return WizardSession(screen, steps, state_file(folder))


def _beginning(session: WizardSession, options: WizardOptions) -> WizardState:
    from confiture_flows.wizard.state import WizardState

    said = {
        "directory": str(options.dir) if options.dir else None,
        "layout": options.layout,
        "plain": options.plain or None,
    }
    given = {name: value for name, value in said.items() if value is not None}
    if options.resume or (options.answers is None and session.wants_to_resume()):
        return session.resumed(given)
    return WizardState(**given)


def _print_left(said: str) -> None:
    out = console(sys.stdout)
    out.print(said, style="bold", markup=False, highlight=False)
    out.print("Go on with: confiture-flows wizard --resume", markup=False, highlight=False)
