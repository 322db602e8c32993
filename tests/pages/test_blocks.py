"""Every block of every page is what its fence says: it parses, its commands and options exist."""

from __future__ import annotations

import ast
import configparser
import json
import re
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path

import postgast
import pytest
import yaml
from cyclopts import CycloptsError

from confiture_flows.cli.main import app
from tests.pages.blocks import Block, blocks_of

REPOSITORY = Path(__file__).parents[2]
PAGES = [
    *sorted((REPOSITORY / "docs").rglob("*.md")),
    *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "deployments/README.md")),
]
# What a console may run besides our own program.
# fmt: off
OTHERS = {
    "cat", "cd", "confiture", "cp", "createdb", "curl", "docker", "echo", "export", "git",
    "install", "kill", "ls", "mkdir", "npx", "pg_restore", "pip", "prefect", "psql", "pytest",
    "python", "python3", "ruff", "sqlfluff", "systemctl", "useradd", "uv", "uvx", ".ci/run",
}
# fmt: on


def check_console(block: Block) -> None:
    for typed, _ in block.commands():
        for command in re.split(r" (?:&&|\|) ", typed.partition(" #")[0]):
            check_command(shlex.split(command))


def check_command(words: list[str]) -> None:
    while words and re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    if words[:2] == ["uv", "run"] and words[2:] and not words[2].startswith("-"):
        words = words[2:]
    program, *given = words
    program = program.rpartition("/")[2] if program.startswith("/") else program
    if program != "confiture-flows":
        assert program in OTHERS, f"{program} is no program that a page may run"
        return
    if given:
        try:
            app.parse_args(given, exit_on_error=False, print_error=False)
        except CycloptsError as error:
            pytest.fail(f"{' '.join(words)}: {error}")


def check_sql(block: Block) -> None:
    postgast.parse(block.text)


def check_code(block: Block) -> None:
    ast.parse(block.text)


CHECKS: dict[str, Callable[[Block], object]] = {
    "python": check_code,
    "toml": lambda block: tomllib.loads(block.text),
    "json": lambda block: json.loads(block.text),
    "yaml": lambda block: list(yaml.safe_load_all(block.text)),
    "ini": lambda block: configparser.ConfigParser().read_string(block.text),
    "sql": check_sql,
    "console": check_console,
    "text": lambda _: None,
    "markdown": lambda _: None,
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_blocks_are_what_they_say(page: Path) -> None:
    for block in blocks_of(page):
        if not block.unchecked:
            try:
                CHECKS[block.language](block)
            except Exception as error:
                pytest.fail(f"{page.name}:{block.line}: {type(error).__name__}: {error}")


def test_every_fence_is_one_of_these_blocks() -> None:
    """A block that the pattern overlooks would never be tried."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert len(re.findall(r"^ *```", text, re.MULTILINE)) == 2 * len(blocks_of(page)), page
