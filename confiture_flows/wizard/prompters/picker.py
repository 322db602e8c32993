"""A long list on a terminal: filtered by typing, with its position shown and keys for pages.

questionary's own list redraws all of it and cannot say where one is; this is built on what
questionary stands on (docs/adr/0053).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from prompt_toolkit import Application
    from prompt_toolkit.formatted_text import AnyFormattedText, StyleAndTextTuples
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

    from confiture_flows.wizard.prompts import Choice

_AROUND = 4  # lines beside the list: question, position, keys, and the one below
_LEAST = 3
_CUT = "…"


@dataclass
class Picking:
    """What is shown and ticked; knows nothing of a terminal.

    Attributes:
        choices: All of them.
        many: Whether several can be ticked.
        ticked: The values that are.
        filter: What the titles shown hold, in any case.
        cursor: Place among those shown.
        top: Place of the first line on the screen.
    """

    choices: Sequence[Choice]
    many: bool
    ticked: set[str] = field(default_factory=set)
    filter: str = ""
    cursor: int = 0
    top: int = 0

    @property
    def shown(self) -> tuple[Choice, ...]:
        """Those that the filter leaves."""
        words = self.filter.lower().split()
        return tuple(each for each in self.choices if all(w in each.title.lower() for w in words))

    @property
    def answer(self) -> tuple[str, ...]:
        """The values that are ticked, in the order of the choices."""
        return tuple(each.value for each in self.choices if each.value in self.ticked)

    def point_at(self, value: str | None) -> None:
        """Move to a value, if it is there."""
        found = [place for place, each in enumerate(self.shown) if each.value == value]
        self.cursor = found[0] if found else 0

    def move(self, lines: int) -> None:
        """Move down, or up; stops at the ends."""
        self.cursor = max(0, min(self.cursor + lines, len(self.shown) - 1))

    def narrow(self, text: str) -> None:
        """Filter by another text, and stay at the choice that the cursor was at."""
        before = self.current
        self.filter = text
        self.point_at(before.value if before else None)

    @property
    def current(self) -> Choice | None:
        """Where the cursor is; None when nothing is shown."""
        shown = self.shown
        return shown[min(self.cursor, len(shown) - 1)] if shown else None

    def toggle(self) -> None:
        """Tick what the cursor is at, or take its tick away."""
        if self.current and not self.current.disabled:
            self.ticked ^= {self.current.value}

    def toggle_shown(self) -> None:
        """Tick all that is shown, or take all ticks away when it is."""
        values = {each.value for each in self.shown if not each.disabled}
        self.ticked = self.ticked - values if values <= self.ticked else self.ticked | values

    def window(self, lines: int) -> range:
        """The places on the screen; moves with the cursor and no more than it must."""
        count = len(self.shown)
        self.top = max(self.cursor - lines + 1, min(self.top, self.cursor))
        self.top = max(0, min(self.top, count - lines))
        return range(self.top, min(self.top + lines, count))

    def position(self, places: range) -> str:
        """Where one is: "12-30 of 500, 3 ticked"."""
        count, all_of_them = len(self.shown), len(self.choices)
        parts = [f"{places.start + 1}-{places.stop} of {count}" if count else "nothing"]
        if self.filter:
            parts[0] += f" with {self.filter!r} (of {all_of_them})"
        if self.many:
            parts.append(f"{len(self.ticked)} ticked")
        return ", ".join(parts)


def fitted(title: str, note: str, width: int) -> tuple[str, str]:
    """A title and its note, cut so that both stand in a line; the note goes first.

    Args:
        title: What has to be read.
        note: What helps.
        width: Columns for both with two spaces between.
    """
    from rich.cells import cell_len, set_cell_size

    if cell_len(title) > width:
        title = set_cell_size(title, max(width - 1, 1)).rstrip() + _CUT
    room = width - cell_len(title) - 2
    if note and cell_len(note) > room:
        note = set_cell_size(note, room - 1).rstrip() + _CUT if room > 8 else ""
    return title, note


def picker(message: str, picking: Picking) -> Application[Any]:
    """The application that lets somebody pick; its result is True, and `picking` has the answer.

    Args:
        message: The question.
        picking: What to show; it is changed.
    """
    from prompt_toolkit import Application
    from prompt_toolkit.layout import FormattedTextControl, Layout, Window

    application: Application[Any]

    def lines() -> int:
        return max(_LEAST, application.output.get_size().rows - _AROUND)

    def fragments() -> AnyFormattedText:
        width = application.output.get_size().columns
        return _fragments(message, picking, lines(), width)

    application = Application(
        layout=Layout(Window(FormattedTextControl(fragments, focusable=True, show_cursor=False))),
        key_bindings=_keys(picking, lines),
        erase_when_done=True,
    )
    return application


def _fragments(message: str, picking: Picking, lines: int, width: int) -> StyleAndTextTuples:
    places = picking.window(lines)
    shown = picking.shown
    said: StyleAndTextTuples = [
        ("class:qmark", "?"),
        ("class:question", f" {fitted(message, '', width - 2)[0]}\n"),
    ]
    longest = max((len(shown[place].title) for place in places), default=0)
    for place in places:
        each, here = shown[place], place == picking.cursor
        box = ("[x] " if each.value in picking.ticked else "[ ] ") if picking.many else ""
        head = f" {'»' if here else ' '} {box}"
        note = f"({each.disabled})" if each.disabled else each.note
        title, note = fitted(each.title.ljust(longest) if note else each.title, note, width - 8)
        tone = "class:disabled" if each.disabled else "class:highlighted" if here else ""
        said += [("class:pointer" if here else "", head), (tone, title)]
        said += [("class:note", f"  {note}" if note else ""), ("", "\n")]
    if not places:
        said.append(("class:note", "   Nothing has this in its name; Backspace widens.\n"))
    said.append(("class:position", f" {fitted(picking.position(places), '', width - 2)[0]}\n"))
    return [*said, ("class:instruction", f" {_instruction(width, many=picking.many)}")]


def _instruction(width: int, *, many: bool) -> str:
    keys = ["Space ticks", "Ctrl-A all shown"] if many else []
    keys += ["Enter", "Esc back", "type to filter", "PgUp PgDn"]
    text = keys[0]
    for each in keys[1:]:
        if len(text) + len(each) + 4 <= width:
            text += f" · {each}"
    return text


def _keys(picking: Picking, lines: Callable[[], int]) -> KeyBindings:
    from prompt_toolkit.key_binding import KeyBindings
    from prompt_toolkit.keys import Keys

    keys = KeyBindings()
    moves: dict[str, Callable[[], int]] = {
        "up": lambda: -1,
        "down": lambda: 1,
        "pageup": lambda: -lines(),
        "pagedown": lambda: lines(),
        "home": lambda: -len(picking.choices),
        "end": lambda: len(picking.choices),
    }
    for key, lines_of in moves.items():

        @keys.add(key, eager=True)
        def _(_: KeyPressEvent, lines_of: Callable[[], int] = lines_of) -> None:
            picking.move(lines_of())

    @keys.add("backspace", eager=True)
    def _(_: KeyPressEvent) -> None:
        picking.narrow(picking.filter[:-1])

    @keys.add("c-u", eager=True)
    def _(_: KeyPressEvent) -> None:
        picking.narrow("")

    @keys.add("c-a", eager=True)
    def _(_: KeyPressEvent) -> None:
        if picking.many:
            picking.toggle_shown()

    @keys.add("enter", eager=True)
    def _(event: KeyPressEvent) -> None:
        if picking.many or (picking.current and not picking.current.disabled):
            event.app.exit(result=True)

    @keys.add(Keys.Any)
    def _(event: KeyPressEvent) -> None:
        if event.data == " " and picking.many:
            picking.toggle()
        elif event.data.isprintable():
            picking.narrow(picking.filter + event.data)

    return keys
