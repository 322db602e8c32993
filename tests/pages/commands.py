"""The command line's own program -> every argument and option of every command."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args, get_origin

from cyclopts import App
from cyclopts.argument import Argument

from confiture_flows.cli.main import app

# The same in every command that has them; told once.
SHARED = ("--target", "--dsn", "--dir", "--layout", "--json", "--no-json", "--quiet", "--verbose")


def commands(program: App = app, before: str = "confiture-flows") -> Iterator[tuple[str, App]]:
    """Each command that does something, by what a user types."""
    for name in program:
        if not name.startswith("-"):
            command = program[name]
            inner = list(commands(command, f"{before} {name}"))
            if inner:
                yield from inner
            if not inner or command.default_command:
                yield f"{before} {name}", command


def arguments(command: App) -> list[Argument]:
    """What may be given to a command, and is shown by its help."""
    found = command.assemble_argument_collection(parse_docstring=True)
    return [each for each in found if each.show and each.parse and each.names]


def every_option(_arguments: list[str]) -> str:
    """A section a command."""
    parts = [_shared()]
    for typed, command in sorted(commands()):
        rows = [
            f"| {_names(each)} | {_values(each)} | {_help(each)} |"
            for each in arguments(command)
            if not set(each.names) & set(SHARED)
        ]
        if rows:
            head = "| option | value | |\n|---|---|---|"
            parts.append(f"### `{typed}`\n\n" + "\n".join((head, *rows)))
        else:
            parts.append(f"### `{typed}`\n\nNo options of its own.")
    return "\n\n".join(parts)


def _shared() -> str:
    told: dict[str, str] = {}
    for _, command in commands():
        for each in arguments(command):
            if set(each.names) & set(SHARED):
                told.setdefault(
                    each.names[0], f"| {_names(each)} | {_values(each)} | {_help(each)} |"
                )
    head = "| of several commands | value | |\n|---|---|---|"
    return "\n".join((head, *(told[name] for name in sorted(told))))


def _names(argument: Argument) -> str:
    return ", ".join(f"`{name}`" for name in argument.names)


def _values(argument: Argument) -> str:
    hint = argument.hint
    if choices := list(_literals(hint)):
        return " ".join(f"`{each}`" for each in choices)
    kinds = [each for each in (get_args(hint) or (hint,)) if each is not type(None)]
    kind = getattr(kinds[0], "__name__", "") if kinds else ""
    return {"bool": "", "str": "text", "int": "number", "float": "number", "Path": "path"}.get(
        kind, "text"
    )


def _literals(hint: object) -> Iterator[str]:
    from typing import Literal

    if get_origin(hint) is Literal:
        yield from (str(each) for each in get_args(hint))
    else:
        for each in get_args(hint):
            yield from _literals(each)


def _help(argument: Argument) -> str:
    return " ".join((argument.parameter.help or "").split()).replace("|", "\\|")
