"""Asks on a whole terminal: by questionary, and by lists of its own where they are long.

Esc is Back and Ctrl-C is Leave, everywhere. Ticks stay when somebody goes back.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from confiture_flows.wizard.prompters.picker import Picking, fitted, picker
from confiture_flows.wizard.prompts import Back, Leave

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from prompt_toolkit import Application
    from prompt_toolkit.key_binding import KeyPressEvent

    from confiture_flows.wizard.prompts import Choice

_SHORT = 9  # choices that need neither a filter nor pages
_ESCAPE_SECONDS = 0.1  # after which an Esc is no arrow key whose rest is still to come
_STYLE = {
    "qmark": "fg:ansicyan bold",
    "question": "bold",
    "answer": "fg:ansicyan",
    "pointer": "fg:ansicyan bold",
    "highlighted": "fg:ansicyan bold",
    "selected": "",
    "note": "fg:ansibrightblack",
    "disabled": "fg:ansibrightblack",
    "position": "fg:ansibrightblack",
    "instruction": "fg:ansibrightblack",
}


class TerminalPrompter:
    """A person at a terminal that can be redrawn."""

    def __init__(self) -> None:
        self._left: dict[str, tuple[str, ...]] = {}  # ticks of questions that Esc has left

    def select(
        self, key: str, message: str, choices: Sequence[Choice], default: str | None = None
    ) -> str:
        """See `Prompter`."""
        if len(choices) > _SHORT:
            picking = Picking(choices, many=False)
            picking.point_at(default)
            self._run(picker(message, picking))
            found = picking.current
            assert found is not None  # noqa: S101 - Enter does nothing where nothing is shown
            self._echo(message, found.title)
            return found.value
        import questionary

        width = shutil.get_terminal_size().columns - 4
        noted = [len(each.title) for each in choices if each.note and not each.disabled]
        longest = max(noted, default=0)
        shown = []
        for each in choices:
            # questionary writes the reason beside what cannot be chosen.
            note = "" if each.disabled else each.note
            room = width - len(f" ({each.disabled})" if each.disabled else "")
            title, note = fitted(each.title.ljust(longest) if note else each.title, note, room)
            text = [("class:text", title), ("class:note", f"  {note}" if note else "")]
            shown.append(questionary.Choice(text, each.value, disabled=each.disabled))
        able = [each.value for each in choices if not each.disabled]
        question = questionary.select(
            message,
            shown,
            default if default in able else None,
            instruction=" ",
            style=questionary.Style(list(_STYLE.items())),
        )
        question.application.erase_when_done = True
        answer = str(self._run(question.application))
        self._echo(message, next(each.title for each in choices if each.value == answer))
        return answer

    def select_many(
        self, key: str, message: str, choices: Sequence[Choice], ticked: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """See `Prompter`."""
        able = {each.value for each in choices if not each.disabled}
        picking = Picking(choices, many=True, ticked=able.intersection(self._left.pop(key, ticked)))
        try:
            self._run(picker(message, picking))
        except Back:
            self._left[key] = picking.answer
            raise
        self._echo(message, f"{len(picking.answer)} of {len(choices)}")
        return picking.answer

    def text(
        self,
        key: str,
        message: str,
        default: str | None = None,
        check: Callable[[str], str | None] | None = None,
    ) -> str:
        """See `Prompter`."""
        import questionary

        def valid(text: str) -> bool | str:
            return (check(text.strip()) if check else None) or True

        question = questionary.text(
            message, default or "", validate=valid, style=questionary.Style(list(_STYLE.items()))
        )
        return str(self._run(_low(question.application))).strip()

    def secret(self, key: str, message: str) -> str:
        """See `Prompter`."""
        import questionary

        def valid(text: str) -> bool | str:
            return bool(text.strip()) or "Type it, or press Esc to go back."

        question = questionary.password(
            message, validate=valid, style=questionary.Style(list(_STYLE.items()))
        )
        return str(self._run(_low(question.application))).strip()

    def confirm(self, key: str, message: str, default: bool | None = None) -> bool:
        """See `Prompter`."""
        from confiture_flows.wizard.prompts import Choice

        choices = (Choice("no", "No"), Choice("yes", "Yes"))
        return self.select(key, message, choices, "yes" if default else "no") == "yes"

    def _run(self, application: Application[Any]) -> Any:
        from prompt_toolkit.key_binding import KeyBindings, merge_key_bindings
        from prompt_toolkit.styles import Style, merge_styles

        keys = KeyBindings()

        def leaving(key: str, way: type[Exception]) -> None:
            @keys.add(key, eager=True)
            def _(event: KeyPressEvent) -> None:
                # What was not answered does not stay on the screen.
                event.app.erase_when_done = True
                event.app.exit(exception=way())

        leaving("escape", Back)
        leaving("c-c", Leave)
        leaving("c-d", Leave)
        present = application.key_bindings
        application.key_bindings = merge_key_bindings([*([present] if present else []), keys])
        application.ttimeoutlen = _ESCAPE_SECONDS
        styles = [application.style] if application.style else []
        application.style = merge_styles([Style(list(_STYLE.items())), *styles])
        try:
            return application.run()
        except (KeyboardInterrupt, EOFError):  # a signal, or the terminal is gone
            raise Leave from None

    def _echo(self, message: str, answer: str) -> None:
        """What questionary leaves of a question that was answered."""
        from prompt_toolkit import print_formatted_text
        from prompt_toolkit.formatted_text import FormattedText
        from prompt_toolkit.styles import Style

        said = [
            ("class:qmark", "?"),
            ("class:question", f" {message}"),
            ("class:answer", f" {answer}"),
        ]
        print_formatted_text(FormattedText(said), style=Style(list(_STYLE.items())))


def _low(application: Application[Any]) -> Application[Any]:
    """Let what is wrong with a text stand below it, and not at the bottom of the screen."""
    from prompt_toolkit.filters import Always

    for window in application.layout.find_all_windows():
        window.dont_extend_height = Always()
    return application
