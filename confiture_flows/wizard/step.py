"""What a step of the wizard is, and how a row of questions is walked forward and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

from confiture_flows.wizard.prompts import Back, Leave

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from confiture_flows.wizard.prompts import Screen
    from confiture_flows.wizard.state import WizardState

    # Asks something, or gives None when there is nothing to ask.
    Question = Callable[[WizardState], WizardState | None]


class WizardStep(Protocol):
    """One step of the wizard.

    Attributes:
        name: Key in the state and section of the answers file.
        title: Heading on the screen.
        keys: Of its questions; "rules.columns.*" stands for all that begin with it.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    keys: ClassVar[tuple[str, ...]]

    def skipped(self, state: WizardState) -> str | None:
        """Why the step does not apply, in words; None when it does."""
        ...

    def run(self, screen: Screen, state: WizardState) -> WizardState:
        """Ask, and change nothing outside the state.

        Raises:
            Back: To the step before.
            Leave: Out of the wizard.
            NeedsAnswer: There is nobody to ask.
        """
        ...


def ask_in_turn(state: WizardState, questions: Sequence[Question]) -> WizardState:
    """Ask one question after the other; Back leads to the last one that was asked.

    Answers stay when somebody goes back: a question is asked again with what it was answered.

    Raises:
        Back: Out of the first question, with the state.
        Leave: With the state.
    """
    asked: list[int] = []
    place = 0
    while place < len(questions):
        try:
            after = questions[place](state)
        except Back as back:
            state = back.state or state
            if not asked:
                raise Back(state) from None
            place = asked.pop()
            continue
        except Leave as leave:
            raise Leave(leave.state or state) from None
        if after is not None:
            state = after
            asked.append(place)
        place += 1
    return state
