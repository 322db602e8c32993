"""What a step asks with: Prompter and Screen, and the three ways in which a question ends early.

Back is Esc, Leave is Ctrl-C, and NeedsAnswer is raised where there is nobody to ask.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from confiture_flows.errors import ConfigError
from confiture_flows.wizard.state import IN_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from confiture_flows.anonymization.copying.report import CopyReport
    from confiture_flows.config import Project
    from confiture_flows.target import Target
    from confiture_flows.wizard.state import WizardState


NOTHING_CHANGED = "Left the wizard; nothing was changed."


class Back(Exception):
    """To the question before this one.

    Attributes:
        state: With what was answered until then; None where the step knows nothing new.
    """

    def __init__(self, state: WizardState | None = None) -> None:
        self.state = state
        super().__init__()


class Leave(Exception):
    """Out of the wizard; it can be resumed.

    Attributes:
        state: As in `Back`.
        said: What a person is told of it; a step that has changed something says so.
    """

    def __init__(self, state: WizardState | None = None, said: str = NOTHING_CHANGED) -> None:
        self.state = state
        self.said = said
        super().__init__()


class NeedsAnswer(ConfigError):
    """A question has no answer and there is nobody to ask."""

    code = "needs_answer"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several.

    Attributes:
        value: What is answered; also what an answers file writes.
        title: What a person reads.
        note: Beside it, less bright.
        disabled: Why it cannot be chosen, in words.
    """

    value: str
    title: str
    note: str = ""
    disabled: str | None = None


class Prompter(Protocol):
    """Asks one question at a time.

    `key` names the question in an answers file: "database.target" is `target` of [database].
    Every method raises Back, Leave, or NeedsAnswer.
    """

    def select(
        self, key: str, message: str, choices: Sequence[Choice], default: str | None = None
    ) -> str:
        """One of several.

        Args:
            key: Of the question.
            message: The question.
            choices: At least one that is not disabled.
            default: The value that the cursor starts at; also taken where an answers file says
                nothing. None has to be answered.
        """
        ...

    def select_many(
        self, key: str, message: str, choices: Sequence[Choice], ticked: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """Any of several, in their order.

        Args:
            key: Of the question.
            message: The question.
            choices: May be hundreds.
            ticked: The values that are ticked at first, and the answer where a file says nothing.
        """
        ...

    def text(
        self,
        key: str,
        message: str,
        default: str | None = None,
        check: Callable[[str], str | None] | None = None,
    ) -> str:
        """A line of text.

        Args:
            key: Of the question.
            message: The question.
            default: Stands there already. None has to be answered.
            check: Says in words what is wrong with an answer, or None; asked again until then.
        """
        ...

    def secret(self, key: str, message: str) -> str:
        """A line that is not shown; an answers file cannot answer it."""
        ...

    def confirm(self, key: str, message: str, default: bool | None = None) -> bool:
        """Yes or no.

        Args:
            key: Of the question.
            message: The question.
            default: What Enter answers. None has to be answered, by `--yes` if nowhere else.
        """
        ...


@dataclass
class Screen:
    """What a step works with.

    Attributes:
        prompter: For what is asked.
        console: For what is told.
        project: The configuration.
        offline: Whether everything goes without Prefect; no block is offered.
        plain: Whether to print line after line, without anything that moves or is redrawn.
        attended: Whether there is a person to go back and choose otherwise.
        typed: Connection strings that were typed, by reference; they live as long as this.
        told: The last error that was printed.
        copy: How the copy of this walk went.
        page: Of the flow run of this walk.
    """

    prompter: Prompter
    console: Console
    project: Project
    offline: bool = False
    plain: bool = False
    attended: bool = True
    typed: dict[str, str] = field(default_factory=dict, repr=False)
    told: BaseException | None = None
    copy: CopyReport | None = None
    page: str | None = None

    def say(self, text: str, style: str = "") -> None:
        """Print a line as it is, without markup."""
        from rich.text import Text

        self.console.print(Text(text), style=style)

    def tell(self, error: BaseException) -> None:
        """Print an error: what is true, where, what to do next."""
        from confiture_flows.report.text import print_error

        print_error(self.console, error)
        self.told = error

    def target(self, reference: str) -> Target:
        """The database that a reference names; a connection string that is nowhere is asked for.

        Raises:
            ConfigError: Nobody knows the name.
        """
        from dataclasses import replace

        from confiture_flows.config import placeholder_values
        from confiture_flows.target import Target, configured_target

        if reference.startswith(IN_VARIABLE):
            target = Target.from_dsn(self._dsn(reference))
            return replace(target, placeholders=placeholder_values(self.project))
        found = configured_target(self.project, reference)
        if found is not None:
            return found
        if self.offline:
            raise ConfigError(
                f"There is no target {reference!r} in the configuration.",
                next_step="Choose another, or leave --plain out when it is a block.",
            )
        from confiture_flows.blocks.target import load_target

        return load_target(reference, self.project)

    def _dsn(self, reference: str) -> str:
        name = reference.removeprefix(IN_VARIABLE)
        dsn = self.typed.get(reference) or os.environ.get(name)
        if not dsn:
            self.say(
                f"{name} is not set. What you type now is not shown, and kept for this run only."
            )
            dsn = self.prompter.secret(f"database.{name}", f"Connection string for {name}")
            self.typed[reference] = dsn
        return dsn
