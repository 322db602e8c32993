"""Text with `${name}` in it + values -> the text to run, and where in it the values stand.

Replacement is textual and comes before parsing, as Flyway does it. Refuses a name without a
value. Values may be secrets: messages show `${name}` in their place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confiture_flows.config import PLACEHOLDER_VARIABLE, placeholder_key
from confiture_flows.errors import MigrationFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

# A backslash keeps the rest as it stands. A dollar sign could not: $$ quotes.
_PLACEHOLDER = re.compile(r"(?P<kept>\\)?\$\{(?P<name>[A-Za-z_][\w.:-]*)\}")
_QUOTED = re.compile(r"\"([^\"]+)\"|'([^']+)'|«([^»]+)»")
_LONG_ENOUGH = 4  # characters; a shorter value is no secret, and may be part of any word


@dataclass(frozen=True, slots=True)
class Filled:
    """A stretch of text that was filled in.

    Attributes:
        start: Character offset of its first character.
        end: Offset after its last.
        written: What the file has in its place: `${name}`.
    """

    start: int
    end: int
    written: str


@dataclass(frozen=True, slots=True)
class Placeholders:
    """The values of a project's placeholders; names are compared as environment variables are.

    Attributes:
        values: By `placeholder_key` of the name.
        of_layout: Keys of values that nobody gave and the layout's tool makes, such as the time.
    """

    values: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    of_layout: frozenset[str] = frozenset()

    def __reduce__(self) -> tuple[type[Placeholders], tuple[()]]:
        # Values stay in their process: Prefect may be told to keep the results of runs, and a
        # plan that is read back without them is refused.
        return (Placeholders, ())

    def fill(self, text: str, path: Path, first_line: int = 1) -> tuple[str, tuple[Filled, ...]]:
        """Put the values into a text.

        Args:
            text: A script, or a part of one.
            path: Its file, for messages.
            first_line: The file's line on which `text` starts.

        Raises:
            MigrationFileError: A placeholder has no value, or one that SQL text cannot hold.
        """
        if "${" not in text:
            return text, ()
        pieces: list[str] = []
        filled: list[Filled] = []
        done = length = 0
        for match in _PLACEHOLDER.finditer(text):
            value = match[0][1:] if match["kept"] else self._value(match, path, first_line)
            before = text[done : match.start()]
            length += len(before)
            filled.append(Filled(length, length + len(value), match[0]))
            length += len(value)
            pieces += (before, value)
            done = match.end()
        return "".join((*pieces, text[done:])), tuple(filled)

    def used(self, text: str) -> dict[str, str]:
        """The values that a text asks for, by the names it uses; names without one are left out."""
        names = {match["name"] for match in _PLACEHOLDER.finditer(text) if not match["kept"]}
        values = {name: self.values.get(placeholder_key(name)) for name in sorted(names)}
        return {name: value for name, value in values.items() if value is not None}

    def given(self, text: str | None = None) -> dict[str, str]:
        """The values that somebody gave, by key: those a text asks for, or all of them."""
        keys = self.values if text is None else map(placeholder_key, self.used(text))
        return {key: self.values[key] for key in sorted({*keys} - self.of_layout)}

    def _value(self, match: re.Match[str], path: Path, first_line: int) -> str:
        name = match["name"]
        value = self.values.get(placeholder_key(name))
        line = first_line + match.string.count("\n", 0, match.start())
        variable = PLACEHOLDER_VARIABLE + placeholder_key(name).upper()
        if value is None:
            key = name if re.fullmatch(r"[\w-]+", name, re.ASCII) else f'"{name}"'
            raise MigrationFileError(
                f"There is no value for ${{{name}}}.",
                file=path,
                line=line,
                next_step=f'Write {key} = "..." below [targets.NAME.placeholders] or '
                f"[placeholders] in confiture.toml, or set {variable}. "
                f"\\${{{name}}} stands for itself.",
            )
        if "\0" in value or not _is_text(value):
            raise MigrationFileError(
                f"The value of ${{{name}}} cannot be part of SQL: it is not UTF-8 text.",
                file=path,
                line=line,
                next_step=f"Look at {variable} and at confiture.toml.",
            )
        return value


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:  # bytes of the environment that are not UTF-8
        return False
    return True


def as_written(text: str, filled: Iterable[Filled]) -> str:
    """The text with its placeholders in the place of the values."""
    pieces: list[str] = []
    done = 0
    for each in filled:
        pieces += (text[done : each.start], each.written)
        done = each.end
    return "".join((*pieces, text[done:]))


def values_in(text: str, filled: Iterable[Filled]) -> dict[str, str]:
    """The values in a text, by what the file has in their place."""
    return {
        each.written: text[each.start : each.end]
        for each in filled
        if not each.written.startswith("\\")  # a literal, which is no secret
    }


def continued_lines(text: str, filled: Iterable[Filled]) -> tuple[int, ...]:
    """The lines of a text, counted from 0, that only exist since values have several lines."""
    lines: list[int] = []
    line = done = 0
    for each in filled:
        line += text.count("\n", done, each.start)
        more = text.count("\n", each.start, each.end)
        lines += range(line + 1, line + more + 1)
        line += more
        done = each.end
    return tuple(lines)


def hide_values(message: str, values: Mapping[str, str]) -> str:
    """A message of the server's with `${name}` in the place of values, or of what it quotes of one.

    Args:
        message: What somebody said about a text with values in it.
        values: The values by what the file has in their place.
    """
    for written, value in sorted(values.items(), key=lambda each: -len(each[1])):
        if len(value) >= _LONG_ENOUGH:
            message = message.replace(value, written)

    def hidden(match: re.Match[str]) -> str:
        said = match[1] or match[2] or match[3]
        for written, value in values.items():
            if value == said or (value and _is_part(said, value)):
                return match[0][0] + written + match[0][-1]
        return match[0]

    return _QUOTED.sub(hidden, message)


def _is_part(said: str, value: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(said)}(?!\w)", value) is not None
