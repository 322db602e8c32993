"""The `confiture-flows` program: commands and exit codes."""

from __future__ import annotations

import atexit
import errno
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import NoReturn

from cyclopts import App, CycloptsError, Parameter

from confiture_flows.cli._frame import INTERRUPTED
from confiture_flows.cli.anonymize import anonymize
from confiture_flows.cli.baseline import baseline
from confiture_flows.cli.demo import demo
from confiture_flows.cli.deploy import deploy
from confiture_flows.cli.detect import detect
from confiture_flows.cli.dry_run import dry_run
from confiture_flows.cli.import_ import import_
from confiture_flows.cli.lint import lint
from confiture_flows.cli.migrate import migrate
from confiture_flows.cli.new import new
from confiture_flows.cli.plan import plan
from confiture_flows.cli.resolve import resolve
from confiture_flows.cli.rollback import rollback
from confiture_flows.cli.rules import rules
from confiture_flows.cli.status import status
from confiture_flows.cli.strategies import strategies
from confiture_flows.cli.trigger import trigger
from confiture_flows.cli.verify import verify
from confiture_flows.cli.wizard import wizard
from confiture_flows.report.console import silence

WRONG_USAGE = 2


def _version() -> str:
    from importlib.metadata import version

    return version("confiture-flows")


app = App(
    name="confiture-flows",
    help="PostgreSQL schema migrations as Prefect flows.",
    version=_version,
    help_format="plaintext",  # Markdown takes as long to import as all of the rest
    exit_on_error=False,
    result_action="return_value",
    default_parameter=Parameter(show_default=False),
)
for _command in (
    demo,
    wizard,
    status,
    plan,
    lint,
    dry_run,
    new,
    migrate,
    rollback,
    verify,
    resolve,
    baseline,
    rules,
    anonymize,
    detect,
    deploy,
    trigger,
):
    app.command(_command)
app.command(import_, name="import")
app.command(strategies)


# A disk, a quota, or the largest file that is allowed.
_DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def program() -> NoReturn:
    """The console script: `main`, and then out at once.

    All that has to happen at an exit happens; only the interpreter does not take itself
    apart module by module, which after an import of Prefect takes it half a second.
    """
    code = 0
    try:
        main()
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    threading._shutdown()  # pyright: ignore[reportAttributeAccessIssue]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            pass  # the reader had enough, which is no failure
        except OSError as error:
            _tell_unwritten(error)
            code = code or 1
    os._exit(code)


def main() -> None:
    """Run the command line and leave with its exit code."""
    json = "--json" in sys.argv
    # A service manager's way to say Ctrl-C: the query is ended, and the report still printed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _open_streams()
    try:
        code = app(sys.argv[1:], print_error=not json)
    except CycloptsError as error:
        if json:
            _print_wrong_usage(error)
        sys.exit(WRONG_USAGE)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)  # so early or so late that there is nothing to tell
    except BrokenPipeError:
        silence(sys.stdout)
        sys.exit(0)
    except OSError as error:
        if error.errno not in _DISK_IS_FULL:
            raise
        _tell_unwritten(error)
        silence(sys.stdout)
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def _tell_unwritten(error: OSError) -> None:
    with suppress(OSError):
        print(f"Error: What was to be printed is not there: {error.strerror}.", file=sys.stderr)


def _open_streams() -> None:
    """A shell may start us with a stream closed; Python then has None in its place."""
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115


def _print_wrong_usage(error: CycloptsError) -> None:
    from confiture_flows.cli._frame import print_json
    from confiture_flows.errors import ConfigError
    from confiture_flows.report.json import envelope

    known = sys.argv[1] if sys.argv[1] in app else ""
    help_line = " ".join(part for part in ("confiture-flows", known, "--help") if part)
    wrong = ConfigError(str(error), next_step=f"See: {help_line}")
    print_json(envelope(known, target=None, result=None, error=wrong))
