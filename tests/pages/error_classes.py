"""errors.py, and every place that raises -> the messages by class, with their next steps."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from confiture_flows import errors
from confiture_flows.errors import ConfitureFlowsError

PACKAGE = Path(__file__).parents[2] / "confiture_flows"


def error_classes() -> list[type[ConfitureFlowsError]]:
    """Every public error, those with one exit code together."""
    found = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, ConfitureFlowsError)
    ]
    return sorted(found, key=lambda kind: (kind.exit_code, kind.__name__))


def table_of_errors(_arguments: list[str]) -> str:
    """A section a class: what it means, and the messages it comes with."""
    said = _messages()
    parts = []
    for kind in error_classes():
        facts = f"Exit code {kind.exit_code}, `error.code` is `{kind.code}`."
        if kind.retryable:
            facts += " Runs try again by themselves."
        first = (kind.__doc__ or "").partition("\n")[0]
        part = f"### {kind.__name__}\n\n{first} {facts}"
        if rows := sorted(said.get(kind.__name__, ())):
            head = "| message | what to do |\n|---|---|"
            part += "\n\n" + "\n".join((head, *(f"| {told} | {then} |" for told, then in rows)))
        parts.append(part)
    return "\n\n".join(parts)


def _messages() -> dict[str, set[tuple[str, str]]]:
    names = {kind.__name__ for kind in error_classes()}
    found: dict[str, set[tuple[str, str]]] = {}
    for module in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in names:
                name = ast.unparse(node.func).split(".")[-1]
                if row := _row(node):
                    found.setdefault(name, set()).add(row)
    return found


def _row(call: ast.Call) -> tuple[str, str] | None:
    """The message and the next step of a call; none when the message is made elsewhere."""
    given = {each.arg: each.value for each in call.keywords}
    message = call.args[0] if call.args else given.get("message")
    told = _text(message) if message else ""
    if sum(map(str.isalpha, told.replace("…", ""))) < 12:
        return None
    step = given.get("next_step")
    then = _text(step) if step else ""
    return _cell(told), _cell(then)


def _text(node: ast.expr) -> str:
    """A text as a pattern: what is put into it is an ellipsis."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "…" for part in _parts(node)
        )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left) + _text(node.right)
    if isinstance(node, ast.IfExp):
        return _text(node.body) or _text(node.orelse)
    return "…"


def _parts(node: ast.JoinedStr) -> Iterator[ast.Constant | ast.FormattedValue]:
    for part in node.values:
        if isinstance(part, ast.Constant | ast.FormattedValue):
            yield part


def _cell(text: str) -> str:
    line = " ".join(text.split())
    for character in "\\|*_<[]`":
        line = line.replace(character, f"\\{character}")
    return line if line.strip("… ") else ""
