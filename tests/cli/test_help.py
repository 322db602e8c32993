"""Help of each command: what it does, its options, and nothing heavy behind it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from .conftest import Runner

OPTIONS = {
    "demo": ["--stay"],
    "status": ["--target", "--dsn", "--dir", "--layout", "--json"],
    "plan": ["--target", "--dsn", "--dir", "--layout", "--json", "--to", "--back"],
    "new": ["TITLE", "--dir", "--layout", "--json"],
    "migrate": ["--target", "--dsn", "--dir", "--layout", "--json", "--to", "--plain"],
    "rollback": ["--target", "--dsn", "--dir", "--layout", "--json", "--to", "--plain"],
}


@pytest.mark.parametrize("command", OPTIONS)
def test_help_names_the_options(run: Runner, command: str) -> None:
    result = run(command, "--help")

    assert (result.code, result.err) == (0, "")
    assert f"Usage: confiture-flows {command}" in result.out
    for option in OPTIONS[command]:
        assert option in result.out


@pytest.mark.parametrize("arguments", [(), ("--help",)])
def test_program_alone_lists_its_commands(run: Runner, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)

    assert result.code == 0
    for command in OPTIONS:
        assert command in result.out


def test_version(run: Runner) -> None:
    from importlib.metadata import version

    assert run("--version").out.strip() == version("confiture-flows")


def test_help_imports_nothing_heavy() -> None:
    heavy = ("prefect", "psycopg", "postgast", "pydantic", "sqlfluff", "httpx")
    script = (
        "import sys; from confiture_flows.cli.main import app\n"
        f"for command in {list(OPTIONS)!r}: app([command, '--help'])\n"
        f"sys.exit(' '.join(m for m in {heavy!r} if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert done.stderr.strip() == ""
