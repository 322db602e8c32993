"""What a script can keep of docs/contributing: documented, small, named once, light to import."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PACKAGE = REPOSITORY / "confiture_flows"
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST_MODULE, LONGEST_FUNCTION = 400, 60

# Who may catch everything, and why. An `except BaseException` that ends in `raise` needs no
# permission: it only tidies up on the way.
MAY_CATCH_EVERYTHING = {
    # A run that was interrupted still prints its report; the error decides the exit code.
    "cli/_run.py",
    # A mistake of ours is still one JSON object for those who asked for JSON.
    "cli/_frame.py",
    # While a failure is told, nothing else that fails may hide it.
    "migrations/lifecycle.py",
    # A function of somebody's own may raise anything, and is told with its line.
    "migrations/functions.py",
    # So may a lint rule of another package, and its import.
    "lint/guests.py",
    # So may a strategy, which is told with its column and line; when it is made, and when the
    # commands about strategies show or measure it, too.
    "anonymization/copying/masking.py",
    "anonymization/describe.py",
    "anonymization/factory.py",
    # So may a hook, and a module of plug-ins when it is imported.
    "hooks/attempt.py",
    "_imports.py",
    # And a strategy that is tried.
    "anonymization/_kit_properties.py",
    # Code that nobody trusts runs here, in a process that tells its parent one way or another.
    "anonymization/sandbox/worker.py",
}
# Who may open a connection, and why not through confiture_flows.target.
MAY_CONNECT = {
    "target.py",
    # A server that has just been started, or found, has no target yet.
    "postgres/server.py",
}
HEAVY = ("prefect.", "psycopg.", "postgast.", "sqlfluff.", "pydantic.", "rich.progress.")

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def parsed(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def name_of(module: Path) -> str:
    return module.relative_to(PACKAGE).as_posix()


def wrong_in(judge: Callable[[Path], object]) -> dict[str, object]:
    """What is wrong with which modules; one test for all, since a test costs more than a look."""
    return {name_of(module): found for module in MODULES if (found := judge(module))}


def functions(tree: ast.AST) -> Iterator[FunctionNode]:
    return (node for node in ast.walk(tree) if isinstance(node, FunctionNode))


def public(tree: ast.Module) -> Iterator[ast.ClassDef | FunctionNode]:
    """Public functions and classes of a module, and the public methods of those classes."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef | FunctionNode) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (
                    method
                    for method in node.body
                    if isinstance(method, FunctionNode) and not method.name.startswith("_")
                )


def test_modules_say_what_they_do() -> None:
    def judge(module: Path) -> str:
        docstring = ast.get_docstring(parsed(module))
        if not docstring:
            return "has no docstring"
        sentence = docstring.splitlines()[0].endswith((".", ":", "?"))
        return "" if sentence else "its first line is no sentence"

    assert wrong_in(judge) == {}


def test_public_names_are_documented() -> None:
    def judge(module: Path) -> list[str]:
        return [node.name for node in public(parsed(module)) if not ast.get_docstring(node)]

    assert wrong_in(judge) == {}


def test_modules_are_small_enough_to_read() -> None:
    def judge(module: Path) -> int:
        lines = len(module.read_text(encoding="utf-8").splitlines())
        return lines if lines > LONGEST_MODULE else 0

    assert wrong_in(judge) == {}


def test_functions_are_small_enough_to_read() -> None:
    def judge(module: Path) -> list[str]:
        return [
            f"{node.name}: {lines}"
            for node in functions(parsed(module))
            if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION
        ]

    assert wrong_in(judge) == {}


def test_no_public_class_name_is_used_twice() -> None:
    places: dict[str, list[str]] = {}
    for module in MODULES:
        for node in parsed(module).body:  # a nested class is named with the one around it
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(name_of(module))
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def catches(handler: ast.ExceptHandler, name: str) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(kind, ast.Name) and kind.id == name for kind in kinds)


def catches_everything(handler: ast.ExceptHandler) -> bool:
    if handler.type is None or catches(handler, "Exception"):
        return True
    last = handler.body[-1]
    reraises = isinstance(last, ast.Raise) and last.exc is None
    return catches(handler, "BaseException") and not reraises


def suppresses_everything(node: ast.Call) -> bool:
    if ast.unparse(node.func).rpartition(".")[2] != "suppress":
        return False
    return bool({ast.unparse(kind) for kind in node.args} & {"Exception", "BaseException"})


def test_no_module_catches_everything() -> None:
    def judge(module: Path) -> object:
        lines = [
            node.lineno
            for node in ast.walk(parsed(module))
            if (isinstance(node, ast.ExceptHandler) and catches_everything(node))
            or (isinstance(node, ast.Call) and suppresses_everything(node))
        ]
        if name_of(module) in MAY_CATCH_EVERYTHING:
            return None if lines else "needs its permission no more"
        return lines

    assert wrong_in(judge) == {}


def makes_sql_of_names(node: ast.Call) -> bool:
    """Whether a call that takes SQL gets text with something put into it."""
    taker = node.func.attr if isinstance(node.func, ast.Attribute) else None
    if taker not in {"execute", "executemany", "stream", "copy", "SQL"} or not node.args:
        return False
    sql = node.args[0]
    while isinstance(sql, ast.Call) and isinstance(sql.func, ast.Attribute):
        if sql.func.attr == "format" and isinstance(sql.func.value, ast.Constant):
            return True  # "...".format(); the method of psycopg's SQL quotes
        if sql.func.attr not in {"encode", "strip"}:
            return False
        sql = sql.func.value
    if isinstance(sql, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in sql.values)
    return isinstance(sql, ast.BinOp) and any(
        isinstance(part, ast.Constant) and isinstance(part.value, str | bytes)
        for part in (sql.left, sql.right)
    )


def test_no_name_is_put_into_sql_by_a_format_string() -> None:
    def judge(module: Path) -> list[int]:
        return [
            node.lineno
            for node in ast.walk(parsed(module))
            if isinstance(node, ast.Call) and makes_sql_of_names(node)
        ]

    assert wrong_in(judge) == {}


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("conn.execute(f'DROP TABLE {name}')", True),
        ("conn.execute(f'DROP TABLE {name}'.encode())", True),
        ("conn.execute('DROP TABLE ' + name)", True),
        ("conn.execute('DROP TABLE %s' % name)", True),
        ("conn.execute('DROP TABLE {}'.format(name))", True),
        ("conn.execute(sql.SQL(f'DROP TABLE {name}'))", True),
        ("conn.execute('DROP TABLE t')", False),
        ("conn.execute(f'DROP TABLE t')", False),
        ("conn.execute(statement.sql.encode())", False),
        ("conn.execute(sql.SQL('DROP TABLE {}').format(sql.Identifier(name)))", False),
    ],
)
def test_the_rule_about_format_strings_finds_them(code: str, found: bool) -> None:
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    assert any(makes_sql_of_names(call) for call in calls) is found


def test_connections_are_opened_in_one_place() -> None:
    def judge(module: Path) -> object:
        opened = [
            node.lineno
            for node in ast.walk(parsed(module))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "connect"
            and isinstance(node.func.value, ast.Name | ast.Attribute)
            and ast.unparse(node.func.value).rpartition(".")[2]
            in {"psycopg", "Connection", "AsyncConnection"}
        ]
        if name_of(module) in MAY_CONNECT:
            return None if opened else "needs its permission no more"
        return opened

    assert wrong_in(judge) == {}


def test_every_command_is_documented() -> None:
    page = REPOSITORY / "docs" / "cli.md"
    if not page.is_file():
        pytest.skip("docs/cli.md is not written yet")
    from confiture_flows.cli.main import app

    text = page.read_text(encoding="utf-8")
    commands = [name for name in app if not name.startswith("-")]
    assert commands
    missing = [name for name in commands if f"confiture-flows {name}" not in text]
    assert missing == []


def loaded_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter has after a statement."""
    code = f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY, check=True
    )
    return set(json.loads(done.stdout))


def heavy_in(modules: set[str]) -> list[str]:
    return sorted(each for each in modules if f"{each}.".startswith(HEAVY))


@pytest.fixture(scope="module")
def brought_by_cyclopts() -> set[str]:
    """What the command line's parser brings is not ours to answer for."""
    return loaded_by("import cyclopts")


@pytest.mark.parametrize("name", ["confiture_flows", "confiture_flows.cli.main"])
def test_importing_the_front_doors_loads_nothing_heavy(
    name: str, brought_by_cyclopts: set[str]
) -> None:
    assert heavy_in(loaded_by(f"import {name}") - brought_by_cyclopts) == []


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["migrate", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str], brought_by_cyclopts: set[str]) -> None:
    loaded = loaded_by(
        "import contextlib, io\n"
        "from confiture_flows.cli.main import app\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        f"    app({arguments!r})"
    )
    assert heavy_in(loaded - brought_by_cyclopts) == []


def test_rooms_import_as_the_contracts_say() -> None:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    if "importlinter" not in settings["tool"]:
        pytest.skip("pyproject.toml has no [tool.importlinter] yet")
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [str(program), "--no-cache"], capture_output=True, text=True, cwd=REPOSITORY
    )
    assert done.returncode == 0, done.stdout + done.stderr


def files_of_the_repository() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
    )
    if listed.returncode:
        pytest.skip("this is no clone")
    return [
        path
        for name in listed.stdout.split("\0")
        if name and (path := REPOSITORY / name).is_file() and not path.is_symlink()
    ]


# Written so that this file does not name them.
_ELSEWHERE = re.compile(
    r"(?<![\w.}])/(?:root|wor"
    r"k)\b(?!-)"
    r"|pythonho"
    r"sted\.org|pypi\.org/sim"
    r"ple|(?:index|INDEX)[-_](?:url|URL)\b"
)


def test_nothing_names_the_machine_it_was_written_on() -> None:
    found = Counter[str]()
    for path in files_of_the_repository():
        text = path.read_bytes().decode(errors="replace")
        for match in _ELSEWHERE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found[f"{path.relative_to(REPOSITORY)}:{line}: {match[0]}"] += 1
    assert sorted(found) == []
