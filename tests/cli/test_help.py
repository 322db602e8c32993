"""Help of each command: what it does, its options, and nothing heavy behind it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import Runner

OPTIONS = {
    "demo": ["--stay"],
    "status": ["--target", "--dsn", "--dir", "--layout", "--json"],
    "plan": ["--target", "--dsn", "--dir", "--layout", "--json", "--to", "--back"],
    "new": ["TITLE", "--dir", "--layout", "--json"],
    "migrate": ["--target", "--dsn", "--dir", "--layout", "--json", "--to", "--plain"],
    "resolve": ["--target", "--dsn", "--json", "--applied", "--not-applied", "--all"],
    "verify": ["--target", "--dsn", "--dir", "--layout", "--json", "--replay", "--scratch"],
    "strategies": ["list", "show", "new", "test", "bench"],
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


def _program(*words: str, before: str = "", **streams: Any) -> subprocess.CompletedProcess[str]:
    """The console script's function in a process of its own, so that it really leaves."""
    lines = (
        before,
        f"import sys; sys.argv[:] = {['confiture-flows', *words]!r}",
        "from confiture_flows.cli.main import program; program()",
    )
    return subprocess.run([sys.executable, "-c", "\n".join(lines)], text=True, **streams)


def test_leaving_at_once_still_runs_what_was_registered_for_the_exit() -> None:
    late = "threading.Thread(target=lambda: (time.sleep(0.3), print('thread'))).start()"
    before = f"import atexit, threading, time; atexit.register(print, 'at exit'); {late}"
    ran = _program("--version", before=before, stdout=subprocess.PIPE)
    lines = ran.stdout.splitlines()
    assert sorted(lines[:-1])[-1] == "thread"
    assert lines[-1] == "at exit"
    assert ran.returncode == 0


def test_leaving_keeps_the_exit_code(tmp_path: Path) -> None:
    ran = _program("status", "--json", "--dir", "nowhere", cwd=tmp_path, stdout=subprocess.PIPE)
    assert ran.returncode == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("words", [["--version"], ["rules", "--json"], ["rules"]])
def test_what_could_not_be_written_is_no_success(words: list[str], buffered: bool) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    if not buffered:
        environment["PYTHONUNBUFFERED"] = "1"
    with Path("/dev/full").open("w") as full:
        ran = _program(*words, stdout=full, stderr=subprocess.PIPE, env=environment)
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert ran.stderr == "Error: What was to be printed is not there: No space left on device.\n"
