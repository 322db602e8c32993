"""The `confiture-flows` program: commands and exit codes."""

from __future__ import annotations

import os
import sys

from cyclopts import App, CycloptsError, Parameter

from confiture_flows.cli.demo import demo
from confiture_flows.cli.migrate import migrate
from confiture_flows.cli.new import new
from confiture_flows.cli.plan import plan
from confiture_flows.cli.rollback import rollback
from confiture_flows.cli.status import status

WRONG_USAGE = 2


def _version() -> str:
    from importlib.metadata import version

    return version("confiture-flows")


app = App(
    name="confiture-flows",
    help="PostgreSQL schema migrations as Prefect flows.",
    version=_version,
    exit_on_error=False,
    result_action="return_value",
    default_parameter=Parameter(show_default=False),
)
for _command in (demo, status, plan, new, migrate, rollback):
    app.command(_command)


def main() -> None:
    """Run the command line and leave with its exit code."""
    try:
        code = app()
    except CycloptsError:
        sys.exit(WRONG_USAGE)  # cyclopts has printed what was wrong
    except BrokenPipeError:
        # The reader (head, less) has seen enough; closing stdout again would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)
