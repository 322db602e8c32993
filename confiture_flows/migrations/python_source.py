"""Bytes of a Python migration -> what it promises, by its syntax tree. Nothing of it runs.

Reads which functions it has, whether it wants a transaction, and what it imports. Refuses what
could only fail: wrong syntax, no `up`, `async def`, modules that are not installed.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from confiture_flows.errors import MigrationFileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_PEER = "confiture"  # the package that fraiseql-confiture installs
_PEER_CLASSES = frozenset({"Migration", "SQLMigration"})
# What fraiseql-confiture runs around a migration and we do not: a check that is left out
# silently is worse than none.
_PEER_EXTRAS = frozenset(
    {
        "up_preconditions",
        "down_preconditions",
        "before_validation_hooks",
        "before_ddl_hooks",
        "after_ddl_hooks",
        "after_validation_hooks",
        "cleanup_hooks",
        "error_hooks",
    }
)
_FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Outline:
    """A Python migration as its syntax tree shows it.

    Attributes:
        lines: 1-based first lines of "up" and, where it exists, "down".
        segments: Their source.
        title: The first line of the docstring; empty if there is none.
        transactional: What the module says of itself; True unless it says False.
        class_name: The Migration class of fraiseql-confiture; None for plain functions.
    """

    lines: dict[str, int]
    segments: dict[str, str]
    title: str = ""
    transactional: bool = True
    class_name: str | None = None


def read_bytes(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        MigrationFileError: It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise MigrationFileError(
            f"The file cannot be read: {error.strerror or error}.",
            file=path,
            next_step="Check that it exists and that you may read it.",
        ) from error


@lru_cache(maxsize=256)
def outline_of(data: bytes, path: Path) -> Outline:
    """The outline of the bytes of a Python migration.

    Raises:
        MigrationFileError: It cannot be run as it stands.
    """
    tree = parse(data, path)
    _refuse_missing_modules(tree, path)
    text = source_text(data)
    docstring = (ast.get_docstring(tree) or "").strip().partition("\n")[0]
    for node in tree.body:
        if isinstance(node, _FunctionNode) and node.name in ("up", "down"):
            _refuse_signature(node, path)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    if "up" in functions:
        found = {name: functions[name] for name in ("up", "down") if name in functions}
        return _outline(tree.body, found, text, path, docstring, None)
    node = _peer_class(tree, path)
    title = docstring or (ast.get_docstring(node) or "").strip().partition("\n")[0]
    return _outline(node.body, _ways(node), text, path, title, node.name)


def parse(data: bytes, path: Path) -> ast.Module:
    """The syntax tree of a Python file.

    Raises:
        MigrationFileError: It is not Python.
    """
    try:
        return ast.parse(data, filename=str(path))
    except SyntaxError as error:
        raise MigrationFileError(
            f"It is not valid Python: {error.msg}.",
            file=path,
            line=error.lineno,
            next_step="Mend it; python -m py_compile says the same.",
        ) from None
    except (ValueError, RecursionError) as error:  # a NUL byte; far too deep
        raise MigrationFileError(f"It is not valid Python: {error}.", file=path) from None


def source_text(data: bytes) -> str:
    """The text of Python source, in the encoding that it names."""
    return importlib.util.decode_source(data)


def _outline(
    body: list[ast.stmt],
    ways: Mapping[str, _FunctionNode | ast.ClassDef],
    text: str,
    path: Path,
    title: str,
    class_name: str | None,
) -> Outline:
    return Outline(
        lines={name: node.lineno for name, node in ways.items()},
        segments={name: ast.get_source_segment(text, node) or name for name, node in ways.items()},
        title=title,
        transactional=_transactional(body, path),
        class_name=class_name,
    )


def _ways(node: ast.ClassDef) -> dict[str, _FunctionNode | ast.ClassDef]:
    """The methods of a Migration class; one that has only texts stands for both itself."""
    methods = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef)}
    texts = {name for name, _ in _assigned(node.body)}
    ways: dict[str, _FunctionNode | ast.ClassDef] = {"up": methods.get("up", node)}
    if "down" in methods or "down_sql" in texts:
        ways["down"] = methods.get("down", node)
    return ways


def _assigned(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    for node in body:
        if isinstance(node, ast.Assign):
            yield from (
                (each.id, node.value) for each in node.targets if isinstance(each, ast.Name)
            )
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            yield node.target.id, node.value


def _transactional(body: list[ast.stmt], path: Path) -> bool:
    said = True
    for name, value in _assigned(body):
        if name != "transactional":
            continue
        if not isinstance(value, ast.Constant) or not isinstance(value.value, bool):
            raise MigrationFileError(
                "`transactional` has to be True or False, as a word.",
                file=path,
                line=value.lineno,
                next_step="Write `transactional = False` for a function that commits by itself.",
            )
        said = value.value
    return said


def _refuse_signature(node: _FunctionNode, path: Path) -> None:
    name = f"{node.name}()"
    if isinstance(node, ast.AsyncFunctionDef):
        raise MigrationFileError(
            f"{name} is `async def`: migrations run one after the other, and nothing awaits them.",
            file=path,
            line=node.lineno,
            next_step=f"Write `def {node.name}(conn)`; the connection is not an async one.",
        )
    if any(isinstance(each, ast.Yield | ast.YieldFrom) for each in _own_nodes(node)):
        raise MigrationFileError(
            f"{name} has a `yield` in it, so calling it would run nothing.",
            file=path,
            line=node.lineno,
            next_step="Move the generator into a function of its own.",
        )
    if node.decorator_list:
        return  # what it takes is the decorator's to say
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    required = len(positional) - len(arguments.defaults)
    takes_one = required <= 1 and (len(positional) >= 1 or arguments.vararg is not None)
    if not takes_one or None in arguments.kw_defaults:
        raise MigrationFileError(
            f"{name} has to take one argument, the connection.",
            file=path,
            line=node.lineno,
            next_step=f"Write `def {node.name}(conn)`.",
        )


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """What stands in a function, without the functions in it."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, _FunctionNode | ast.Lambda | ast.ClassDef):
            yield from _own_nodes(child)


def _refuse_missing_modules(tree: ast.Module, path: Path) -> None:
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level:
            raise MigrationFileError(
                "It imports from its own folder, which is no package.",
                file=path,
                line=node.lineno,
                next_step="Put what migrations share into an installed package.",
            )
        for name in _imported(node):
            if not _is_installed(name):
                raise MigrationFileError(
                    f"There is no module {name!r} here.",
                    file=path,
                    line=node.lineno,
                    next_step="Install fraiseql-confiture beside this package: "
                    "pip install fraiseql-confiture"
                    if name == _PEER
                    else "Install it where migrations run.",
                )


def _imported(node: ast.stmt) -> Iterator[str]:
    """The top-level packages that a statement imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module.partition(".")[0]


def _is_installed(name: str) -> bool:
    if name in sys.modules or name in sys.builtin_module_names:
        return True
    try:
        return importlib.util.find_spec(name) is not None  # of a top-level name: imports nothing
    except (ImportError, ValueError):
        return False


def _peer_class(tree: ast.Module, path: Path) -> ast.ClassDef:
    """The one class of the module that is a Migration of fraiseql-confiture.

    Raises:
        MigrationFileError: There is none, or more than one.
    """
    known = set(_peer_names(tree))
    found: dict[str, ast.ClassDef] = {}
    bases: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            named = {ast.unparse(base) for base in node.bases}
            if named & (known | found.keys()):
                bases |= named
                found[node.name] = node
    classes = [node for name, node in found.items() if name not in bases]
    if len(classes) != 1:
        what = f"{len(classes)} Migration classes" if classes else "neither up(conn) nor Migration"
        raise MigrationFileError(
            f"It has {what}."
            if classes
            else "It has neither a function up(conn) nor a Migration class.",
            file=path,
            line=classes[1].lineno if classes else None,
            next_step="Keep one class a file."
            if classes
            else "Write `def up(conn)`, or move the file out of the directory.",
        )
    node = classes[0]
    for base in (found[name] for name in found if name in bases):
        _refuse_extras(base, path)
    _refuse_extras(node, path)
    for method in node.body:
        if isinstance(method, ast.AsyncFunctionDef) and method.name in ("up", "down"):
            _refuse_signature(method, path)
    return node


def _peer_names(tree: ast.Module) -> Iterator[str]:
    """How the module may name the classes of fraiseql-confiture."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == _PEER:
            for alias in node.names:
                name = alias.asname or alias.name
                if alias.name in _PEER_CLASSES:
                    yield name
                yield from (f"{name}.{each}" for each in _PEER_CLASSES)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == _PEER:
                    yield from (f"{alias.asname or alias.name}.{each}" for each in _PEER_CLASSES)


def _refuse_extras(node: ast.ClassDef, path: Path) -> None:
    for name, value in _assigned(node.body):
        empty = isinstance(value, ast.List | ast.Tuple) and not value.elts
        if name in _PEER_EXTRAS and not empty:
            raise MigrationFileError(
                f"{node.name} has {name}, which only fraiseql-confiture runs.",
                file=path,
                line=value.lineno,
                next_step="Do it in up() and down(), or apply this migration with "
                "`confiture migrate up`.",
            )
