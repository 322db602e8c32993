"""The way through the steps: forward, back, out, and on again after an error.

The state is kept after every step, so that whatever ends the wizard can be resumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confiture_flows.errors import ConfigError, ConfitureFlowsError
from confiture_flows.wizard.prompts import Back, Choice, Leave, NeedsAnswer
from confiture_flows.wizard.state import load_state, save_state

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from confiture_flows.wizard.prompts import Screen
    from confiture_flows.wizard.state import WizardState
    from confiture_flows.wizard.step import WizardStep


def all_steps() -> tuple[WizardStep, ...]:
    """The steps of the wizard, in their order."""
    from confiture_flows.wizard.steps.database import DatabaseSelector
    from confiture_flows.wizard.steps.environment import EnvironmentChooser
    from confiture_flows.wizard.steps.execute import ExecutionMonitor
    from confiture_flows.wizard.steps.review import PlanReview
    from confiture_flows.wizard.steps.rules import RuleConfigurator
    from confiture_flows.wizard.steps.tables import TableSelection
    from confiture_flows.wizard.steps.verify import RunVerification

    return (
        DatabaseSelector(),
        EnvironmentChooser(),
        TableSelection(),
        RuleConfigurator(),
        PlanReview(),
        ExecutionMonitor(),
        RunVerification(),
    )


def known_keys(steps: Sequence[WizardStep]) -> tuple[str, ...]:
    """The keys that an answers file may have."""
    return tuple(key for each in steps for key in each.keys)


@dataclass
class WizardSession:
    """One walk through the steps.

    Attributes:
        screen: What steps work with.
        steps: In their order.
        path: The file of the state.
    """

    screen: Screen
    steps: Sequence[WizardStep]
    path: Path

    def run(self, state: WizardState) -> WizardState:
        """Go through all steps that are not done; the file of the state is gone in the end.

        Args:
            state: Where to begin.

        Raises:
            Leave: Somebody left; the state is kept.
            NeedsAnswer: There is nobody to ask.
            ConfitureFlowsError: What went wrong, where nobody is there to choose what to do.
        """
        place = next((n for n, each in enumerate(self.steps) if each.name not in state.done), 0)
        forward = True
        while place < len(self.steps):
            step = self.steps[place]
            reason = step.skipped(state)
            if reason is not None:
                if forward:
                    self._heading(place, f"skipped: {reason}")
                    state = _with(state, step)
                place = max(0, place + (1 if forward else -1))
                forward = forward or place == 0
                continue
            self._heading(place)
            try:
                state = _with(step.run(self.screen, state), step)
                forward = True
            except Back as back:
                state, forward = back.state or state, False
                if place == 0:
                    self.screen.say("This is the first question; Ctrl-C leaves.", "dim")
                    forward = True
                    continue
                state = _without(state, self.steps[place - 1 :])
            except (Leave, KeyboardInterrupt) as left:
                raise self._left(left, state) from None
            except ConfitureFlowsError as error:
                way = self._after(error, state, first=place == 0)
                if way == "leave":
                    raise self._left(Leave(), state) from None
                if way == "again":
                    continue
                forward = False
                state = _without(state, self.steps[place - 1 :])
            save_state(state, self.path)
            place += 1 if forward else -1
        self.path.unlink(missing_ok=True)
        return state

    def wants_to_resume(self) -> bool:
        """Whether somebody was here before, and now goes on from there.

        Raises:
            Leave: Somebody left.
        """
        try:
            state = load_state(self.path)
        except ConfigError:
            return False  # of another version; it is overwritten
        if state is None or not state.done:
            return False
        choices = (Choice("resume", "Go on from there"), Choice("anew", "Begin anew"))
        try:
            return (
                self.screen.prompter.select(
                    "session.resume", f"A wizard was left after {self._titles(state)}.", choices
                )
                == "resume"
            )
        except Back:
            raise Leave from None

    def resumed(self, given: Mapping[str, Any]) -> WizardState:
        """The state of an earlier wizard, told in a line; where its databases are gone, from there.

        Args:
            given: What was said anew; it comes before what was said then.

        Raises:
            ConfigError: There is none, or it cannot be read.
        """
        state = load_state(self.path)
        if state is None:
            raise ConfigError(
                "There is no wizard to resume in this folder.",
                next_step="Start one: confiture-flows wizard.",
            )
        if any(getattr(state, name) != value for name, value in given.items()):
            # What was reviewed is something else.
            state = state.but(**given, done=_before(state, "review"))
        if "execute" not in state.done:
            # A run may have changed the database since, and somebody the files.
            state = state.but(done=_before(state, "review"))
        self.screen.offline = state.plain
        self.screen.say(f"Resumed after {self._titles(state)}.")
        try:
            for reference in filter(None, (state.source, state.target)):
                production = self.screen.target(reference).production
                if production and reference == state.target:
                    # Whoever goes on may not be who has begun.
                    state = state.but(confirmed_name=None, done=_before(state, "environment"))
        except Back:
            state = state.but(done=())
        except (Leave, KeyboardInterrupt) as left:
            raise self._left(left, state) from None
        except NeedsAnswer:
            raise
        except ConfigError as error:
            self.screen.tell(error)
            state = state.but(done=())
        return state

    def _titles(self, state: WizardState) -> str:
        titles = [each.title for each in self.steps if each.name in state.done]
        return ", ".join(titles) or "nothing"

    def _heading(self, place: int, after: str = "") -> None:
        step, count = self.steps[place], len(self.steps)
        self.screen.say("")
        tone = "dim" if after else "bold"
        tail = f" - {after}" if after else ""
        self.screen.say(f"Step {place + 1} of {count}: {step.title}{tail}", tone)

    def _left(self, left: BaseException, state: WizardState) -> Leave:
        found = left if isinstance(left, Leave) else Leave()
        found.state = found.state or state
        save_state(found.state, self.path)
        return found

    def _after(self, error: ConfitureFlowsError, state: WizardState, *, first: bool) -> str:
        """What somebody wants to do about an error.

        Raises:
            ConfitureFlowsError: The error itself, where there is nobody.
        """
        if isinstance(error, NeedsAnswer):
            raise error
        choices = (
            Choice("again", "Try this step again"),
            *(() if first else (Choice("back", "Go back a step"),)),
            Choice("leave", "Leave, and resume later"),
        )
        try:
            if self.screen.told is not error:
                self.screen.tell(error)
            return self.screen.prompter.select(
                "session.after_error",
                "What now?" if "execute" in state.done else "Nothing was changed. What now?",
                choices,
            )
        except NeedsAnswer:
            raise error from None
        except Back:
            return "again" if first else "back"
        except (Leave, KeyboardInterrupt):
            return "leave"


def _with(state: WizardState, step: WizardStep) -> WizardState:
    done = tuple(each for each in state.done if each != step.name)
    return state.but(done=(*done, step.name))


def _without(state: WizardState, steps: Sequence[WizardStep]) -> WizardState:
    names = {each.name for each in steps}
    return state.but(done=tuple(each for each in state.done if each not in names))


def _before(state: WizardState, name: str) -> tuple[str, ...]:
    return state.done[: state.done.index(name)] if name in state.done else state.done
