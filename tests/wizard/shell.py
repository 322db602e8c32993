"""A shell that knows one program: many runs in one process, which spares the start of each.

A line is `confiture-flows` and its arguments, or `export NAME=VALUE`, `cd FOLDER`, `modules`.
"""

from __future__ import annotations

import os
import shlex
import sys

from confiture_flows.cli.main import main


def run(words: list[str]) -> str:
    """Run a command; what the shell says after it."""
    match words:
        case ["export", said]:
            name, _, value = said.partition("=")
            os.environ[name] = value
            if not value:
                del os.environ[name]
            return "ok"
        case ["cd", folder]:
            os.chdir(folder)
            return "ok"
        case ["modules"]:
            return "prefect is there" if "prefect" in sys.modules else "no prefect"
    sys.argv = words
    try:
        main()
    except SystemExit as left:
        return f"exit {left.code}"
    return "exit ?"


while line := sys.stdin.readline():
    print(f"[{run(shlex.split(line))}]", flush=True)
