"""Names -> their reference, read from signatures and docstrings. Nothing is imported."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import griffe

PACKAGE = "confiture_flows"
REPOSITORY = Path(__file__).parents[2]
_WIDEST = 88
# Modules whose public surface is a list that they write down.
SURFACES = (PACKAGE, *(f"{PACKAGE}.{each}" for each in ("tasks", "flows", "blocks", "plugins")))


@cache
def package() -> griffe.Module:
    """The package as its source says."""
    loaded = griffe.load(
        PACKAGE,
        search_paths=[REPOSITORY],
        allow_inspection=False,
        docstring_parser="google",
        docstring_options={"warnings": False},
    )
    assert isinstance(loaded, griffe.Module)
    return loaded


def listed_names(module: str) -> list[str]:
    """`__all__` of a module, each with the module's own path before it."""
    source = REPOSITORY.joinpath(*module.split("."))
    file = source / "__init__.py" if source.is_dir() else source.with_suffix(".py")
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return [f"{module}.{name}" for name in ast.literal_eval(node.value)]
    raise ValueError(f"{module} has no __all__")


def from_docstrings(names: list[str]) -> str:
    """The sections of some names; a module that lists its names stands for all of them."""
    wanted = [each for name in names for each in _expanded(name)]
    return "\n\n".join("\n\n".join(_section(name)) for name in wanted)


def _expanded(name: str) -> list[str]:
    return listed_names(name) if name in SURFACES else [name]


def _found(name: str) -> griffe.Object:
    found = package()[name.removeprefix(f"{PACKAGE}.")]
    return found.final_target if isinstance(found, griffe.Alias) else found


def _section(name: str) -> Iterator[str]:
    found = _found(name)
    yield f"### {found.name}"
    yield f"`from {name.rpartition('.')[0]} import {found.name}`"
    if isinstance(found, griffe.Function):
        yield _code(_signature(found))
    yield from _told(found)
    if isinstance(found, griffe.Class):
        yield from _members(found)


def _code(text: str) -> str:
    return f"```text\n{text}\n```"


def _signature(function: griffe.Function) -> str:
    line = str(function.signature()).replace("(self, ", "(").replace("(self)", "()")
    if len(line) <= _WIDEST:
        return line
    given = ast.parse(f"def {line}: ...").body[0]
    assert isinstance(given, ast.FunctionDef)
    parts = _parameters(given.args)
    returns = f" -> {ast.unparse(given.returns)}" if given.returns else ""
    return "\n".join([f"{given.name}(", *(f"    {each}," for each in parts), f"){returns}"])


def _parameters(given: ast.arguments) -> Iterator[str]:
    plain = [*given.posonlyargs, *given.args]
    defaults = [None] * (len(plain) - len(given.defaults)) + list(given.defaults)
    for place, (each, default) in enumerate(zip(plain, defaults, strict=True), start=1):
        yield _parameter(each, default)
        if place == len(given.posonlyargs):
            yield "/"
    if given.vararg:
        yield f"*{ast.unparse(given.vararg)}"
    elif given.kwonlyargs:
        yield "*"
    for each, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        yield _parameter(each, default)
    if given.kwarg:
        yield f"**{ast.unparse(given.kwarg)}"


def _parameter(each: ast.arg, default: ast.expr | None) -> str:
    return ast.unparse(each) + (f" = {ast.unparse(default)}" if default else "")


def _told(found: griffe.Object) -> Iterator[str]:
    for section in found.docstring.parsed if found.docstring else []:
        if isinstance(section, griffe.DocstringSectionText):
            yield section.value
        elif isinstance(
            section, griffe.DocstringSectionParameters | griffe.DocstringSectionAttributes
        ):
            kind = "argument" if section.kind.value == "parameters" else "attribute"
            yield _table(kind, [(each.name, each.description) for each in section.value])
        elif isinstance(section, griffe.DocstringSectionReturns):
            yield "Returns: " + " ".join(_line(each.description) for each in section.value)
        elif isinstance(section, griffe.DocstringSectionRaises):
            raised = [(str(each.annotation), each.description) for each in section.value]
            yield _table("raises", raised)
        elif isinstance(section, griffe.DocstringSectionAdmonition):
            yield f"{section.title}:\n\n{inspect.cleandoc(str(section.value.contents))}"


def _table(head: str, rows: list[tuple[str, str]]) -> str:
    lines = [f"| {head} | |", "|---|---|"]
    lines += [f"| `{name}` | {_line(told)} |" for name, told in rows]
    return "\n".join(lines)


def _line(text: str) -> str:
    return " ".join(text.split()).replace(" | None", " or None").replace("|", "\\|")


def _members(found: griffe.Class) -> Iterator[str]:
    public = [each for name, each in found.members.items() if not name.startswith("_")]
    told = {
        each.name
        for section in (found.docstring.parsed if found.docstring else [])
        if isinstance(section, griffe.DocstringSectionAttributes)
        for each in section.value
    }
    fields = [
        (each.name, _field(each))
        for each in public
        if isinstance(each, griffe.Attribute) and each.name not in {*told, "model_config"}
    ]
    if fields:
        yield _table("attribute", fields)
    for each in public:
        if isinstance(each, griffe.Function) and each.docstring:
            yield _code(_signature(each))
            yield from _told(each)


def _field(attribute: griffe.Attribute) -> str:
    """What a field is: its docstring, its description as a field of pydantic, or its value."""
    if attribute.docstring:
        return attribute.docstring.value
    value = str(attribute.value) if attribute.value is not None else ""
    if value:
        node = ast.parse(value, mode="eval").body
        if isinstance(node, ast.Call):
            said = {
                each.arg: each.value.value
                for each in node.keywords
                if isinstance(each.value, ast.Constant)
            }
            return str(said.get("description") or said.get("title") or f"`{value}`")
    return f"`{attribute.annotation or value}`"
