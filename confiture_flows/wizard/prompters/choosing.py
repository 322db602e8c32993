"""What there is to ask -> the prompter that fits. Never one that would wait for nobody."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from confiture_flows.errors import ConfigError
from confiture_flows.wizard.prompts import NeedsAnswer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from confiture_flows.wizard.prompts import Prompter


def choose_prompter(
    answers: Path | None, known: Sequence[str], *, yes: bool, plain: bool
) -> tuple[Prompter, bool]:
    """The prompter, and whether it redraws the terminal.

    Args:
        answers: A file with answers.
        known: The keys that it may have.
        yes: Whether nobody is asked.
        plain: Whether to ask line by line, on any terminal.

    Raises:
        NeedsAnswer: There is no terminal, and no file either.
        ConfigError: The file is wrong, or `yes` has none.
    """
    if answers is None:
        if yes:
            raise ConfigError(
                "--yes confirms what an answers file says.",
                next_step="Give one: confiture-flows wizard --answers FILE --yes.",
            )
        if not _has_terminal():
            raise NeedsAnswer(
                "There is no terminal to ask on.",
                next_step="Answer by a file: confiture-flows wizard --answers FILE --yes.",
            )
        return _person(plain=plain)
    from confiture_flows.wizard.prompters.answers import AnswersFile, AnswersPrompter

    file = AnswersFile.read(answers, known)
    if yes or not _has_terminal():
        return AnswersPrompter(file, yes=yes), False
    person, redraws = _person(plain=plain)
    return AnswersPrompter(file, person=person), redraws


def _has_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _person(*, plain: bool) -> tuple[Prompter, bool]:
    if plain or os.environ.get("TERM", "dumb") == "dumb" or not sys.stdout.isatty():
        from confiture_flows.wizard.prompters.plain import PlainPrompter

        return PlainPrompter(), False
    from confiture_flows.wizard.prompters.terminal import TerminalPrompter

    return TerminalPrompter(), True
