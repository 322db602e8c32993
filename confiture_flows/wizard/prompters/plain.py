"""Asks line by line: for terminals that cannot be redrawn, and for screen readers.

A list is numbered and answered by numbers; `<` goes back, `?` shows the list again.
"""

from __future__ import annotations

import getpass
import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confiture_flows.wizard.prompts import Back, Leave, NeedsAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TextIO

    from confiture_flows.wizard.prompts import Choice

_PAGE = 20
_BACK = ("<", "\x1b")
_NUMBERS = re.compile(r"^\d+(-\d+)?([ ,]+\d+(-\d+)?)*$")
_HELP_MANY = (
    "Type numbers to tick or untick (3 5-9), all, none, /text to list what has it in its name, "
    "n and p for pages, < to go back, and Enter when done."
)


@dataclass
class PlainPrompter:
    """A person who reads one line after the other.

    Attributes:
        source: Where answers come from, a line each.
        out: Where questions go.
    """

    source: TextIO = field(default_factory=lambda: sys.stdin)
    out: TextIO = field(default_factory=lambda: sys.stdout)
    _left: dict[str, set[str]] = field(default_factory=dict)

    def select(
        self, key: str, message: str, choices: Sequence[Choice], default: str | None = None
    ) -> str:
        """See `Prompter`."""
        able = [each.value for each in choices if not each.disabled]
        default = default if default in able else None
        self._say(message)
        self._list(choices)
        at = next((n for n, each in enumerate(choices, 1) if each.value == default), None)
        ask = f"Number, 1 to {len(choices)}" + (f" [{at}]" if at else "") + ", < to go back: "
        while True:
            line = self._line(ask)
            if line == "" and default is not None:
                return default
            if line == "?":
                self._list(choices)
            elif line.isdecimal() and 1 <= int(line) <= len(choices):
                chosen = choices[int(line) - 1]
                if not chosen.disabled:
                    return chosen.value
                self._say(f"That cannot be chosen: {chosen.disabled}.")
            elif line in able:
                return line
            else:
                self._say(f"Type a number from 1 to {len(choices)}, or ? to hear the list again.")

    def select_many(
        self, key: str, message: str, choices: Sequence[Choice], ticked: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """See `Prompter`."""
        able = {each.value for each in choices if not each.disabled}
        chosen = able.intersection(self._left.pop(key, ticked))
        numbered = list(enumerate(choices, 1))
        shown, top = numbered, 0
        self._say(f"{message}\n{_HELP_MANY}")
        self._page(shown, top, chosen)
        while True:
            try:
                line = self._line(f"{len(chosen)} of {len(choices)} ticked: ")
            except Back:
                self._left[key] = chosen
                raise
            if line == "":
                return tuple(each.value for each in choices if each.value in chosen)
            if line in ("all", "none"):
                values = able.intersection(each.value for _, each in shown)
                chosen = chosen | values if line == "all" else chosen - values
                continue
            if _NUMBERS.match(line):
                self._tick(line, choices, chosen)
                continue
            if line.startswith("/"):
                text = line[1:].strip().lower()
                shown, top = [each for each in numbered if text in each[1].title.lower()], 0
            elif line in ("n", "p"):
                step = _PAGE if line == "n" else -_PAGE
                top = max(0, min(top + step, (len(shown) - 1) // _PAGE * _PAGE))
            elif line != "?":
                self._say(_HELP_MANY)
                continue
            self._page(shown, top, chosen)

    def text(
        self,
        key: str,
        message: str,
        default: str | None = None,
        check: Callable[[str], str | None] | None = None,
    ) -> str:
        """See `Prompter`."""
        while True:
            line = self._line(f"{message}{f' [{default}]' if default else ''}: ") or default or ""
            wrong = check(line) if check else None
            if wrong is None:
                return line
            self._say(wrong)

    def secret(self, key: str, message: str) -> str:
        """See `Prompter`."""
        while True:
            try:
                line = getpass.getpass(f"{message} (not shown): ").strip()
            except KeyboardInterrupt:
                raise Leave from None
            except EOFError:
                raise _nobody(key) from None
            if line in _BACK:
                raise Back
            if line:
                return line

    def confirm(self, key: str, message: str, default: bool | None = None) -> bool:
        """See `Prompter`."""
        offered = {True: "Y/n", False: "y/N", None: "y/n"}[default]
        while True:
            line = self._line(f"{message} [{offered}]: ").lower()
            if line == "" and default is not None:
                return default
            if line in ("y", "yes", "n", "no"):
                return line.startswith("y")
            self._say("Type y or n.")

    def _tick(self, line: str, choices: Sequence[Choice], chosen: set[str]) -> None:
        for part in re.split(r"[ ,]+", line):
            first, _, last = part.partition("-")
            for number in range(int(first), int(last or first) + 1):
                if not 1 <= number <= len(choices):
                    self._say(f"There is no {number}: the list has {len(choices)}.")
                    return
                each = choices[number - 1]
                if each.disabled:
                    self._say(f"{each.title} cannot be ticked: {each.disabled}.")
                else:
                    chosen ^= {each.value}

    def _page(self, shown: Sequence[tuple[int, Choice]], top: int, chosen: set[str]) -> None:
        page = shown[top : top + _PAGE]
        for number, each in page:
            mark = "ticked" if each.value in chosen else "not ticked"
            self._say(f"{number}. {_worded(each)}, {mark}")
        self._say(f"{top + 1}-{top + len(page)} of {len(shown)}." if page else "Nothing has it.")

    def _list(self, choices: Sequence[Choice]) -> None:
        for number, each in enumerate(choices, 1):
            self._say(f"{number}. {_worded(each)}")

    def _say(self, text: str) -> None:
        self.out.write(f"{text}\n")

    def _line(self, ask: str) -> str:
        self.out.write(ask)
        self.out.flush()
        try:
            line = self.source.readline()
        except KeyboardInterrupt:
            raise Leave from None
        except UnicodeDecodeError:
            self._say("That is not UTF-8.")
            return self._line(ask)
        if not line:
            raise _nobody(ask.strip(" :"))
        if line.strip() in _BACK:
            raise Back
        return line.strip()


def _nobody(asked: str) -> NeedsAnswer:
    return NeedsAnswer(
        f"Nobody answers: {asked}.",
        next_step="Answer by a file: confiture-flows wizard --answers FILE --yes.",
    )


def _worded(choice: Choice) -> str:
    parts = (
        choice.title,
        choice.note,
        f"cannot be chosen: {choice.disabled}" * bool(choice.disabled),
    )
    return ", ".join(part for part in parts if part)
