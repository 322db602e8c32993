"""One run of a candidate with a stopwatch in it: where its time goes, as JSON.

Run as `python -m tests.benchmarks.trace bare|plain|flow DIRECTORY FILE STARTED`, the connection
string in CONFITURE_DSN; STARTED is the parent's monotonic clock when it started this process,
FILE gets the answer. The stopwatch stands at one label at a time, the innermost: imports of the
packages below, functions of ours that do a stage's work, and what is left around them.
"""

from __future__ import annotations

import builtins
import functools
import json
import runpy
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# What another package imports counts to the package; within Prefect, all of it to Prefect.
_PACKAGES = {
    "confiture_flows": "import confiture_flows",
    "cyclopts": "import cyclopts",
    "google": "import postgast",
    "postgast": "import postgast",
    "prefect": "import prefect",
    "psycopg": "import psycopg",
    "psycopg_binary": "import psycopg",
    "rich": "import rich",
}
_ENGINE = "confiture_flows.migrations"
_WATCHED = (
    ("psycopg", "connect", "connect"),
    (f"{_ENGINE}.discovery", "discover", "discover"),
    (f"{_ENGINE}.ledger", "read_ledger", "read ledger"),
    (f"{_ENGINE}.validate", "validate", "validate"),
    ("confiture_flows.sql.statements", "split_statements", "parse"),
    (f"{_ENGINE}.plain", "make_plan", "plan"),
    (f"{_ENGINE}.apply", "apply_plan", "apply"),
    (f"{_ENGINE}.verify", "verify", "verify"),
    ("confiture_flows.runs.progress", "Progress.begin", "print progress"),
    ("confiture_flows.runs.progress", "Progress.finished", "print progress"),
    ("confiture_flows.runs.progress", "Progress.__exit__", "print progress"),
    ("confiture_flows.cli._frame", "_print", "print outcome"),
    ("confiture_flows.tasks._chronicle", "Chronicle._write", "log lines, events"),
    ("confiture_flows.flows._stages", "TaskStages.publish", "publish report"),
    ("confiture_flows.flows.run", "run_as_flow", "Prefect: start flow"),
    ("confiture_flows.flows._stages", "run_flow", "Prefect: task runs"),
)
# What is left of a caller once its callee is over has another name.
_AFTERWARDS = {"Prefect: task runs": "Prefect: end flow"}


class _Stopwatch:
    """Adds up seconds by label."""

    def __init__(self, started: float) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.labels = ["start Python"]
        self._at = started
        self._thread = threading.get_ident()

    def push(self, label: str) -> bool:
        """Go to an inner label; only the main thread is watched."""
        if threading.get_ident() != self._thread:
            return False
        self._charge()
        self.labels.append(label)
        return True

    def pop(self) -> None:
        """Go back to the outer label."""
        self._charge()
        label = self.labels.pop()
        if label in _AFTERWARDS:
            self.labels[-1] = _AFTERWARDS[label]

    def rename(self, label: str) -> None:
        """What follows has another name."""
        self._charge()
        self.labels[-1] = label

    def _charge(self) -> None:
        now = time.monotonic()
        self.seconds[self.labels[-1]] += now - self._at
        self._at = now

    def watched(self, function: Callable[..., Any], label: str) -> Callable[..., Any]:
        """The function, timed."""

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            if not self.push(label):
                return function(*args, **kwargs)
            try:
                return function(*args, **kwargs)
            finally:
                self.pop()

        return timed


def _watch_imports(watch: _Stopwatch) -> None:
    """Time imports, and watch our functions as soon as their modules are there."""
    plain_import = builtins.__import__
    waiting = list(_WATCHED)

    def timed_import(name: str, *args: Any, **kwargs: Any) -> Any:
        label = _PACKAGES.get(name.partition(".")[0])
        outer = watch.labels[-1]
        if outer == "import prefect" and label != "import confiture_flows":
            label = None
        if label is None or not watch.push(label):
            return plain_import(name, *args, **kwargs)
        try:
            module = plain_import(name, *args, **kwargs)
        finally:
            watch.pop()
        for entry in [entry for entry in waiting if _is_loaded(entry[0])]:
            waiting.remove(entry)
            _watch(watch, *entry)
        return module

    builtins.__import__ = timed_import


def _is_loaded(name: str) -> bool:
    module = sys.modules.get(name)
    return module is not None and not getattr(module.__spec__, "_initializing", False)


def _watch(watch: _Stopwatch, module: str, path: str, label: str) -> None:
    *owners, name = path.split(".")
    owner: Any = sys.modules[module]
    for each in owners:
        owner = getattr(owner, each)
    setattr(owner, name, watch.watched(getattr(owner, name), label))


def main(kind: str, directory: str, answer: Path, started: float) -> None:
    """Run once and write the seconds by label."""
    watch = _Stopwatch(started)
    # In a flow that is Prefect's heartbeat thread, which sleeps a second at a time.
    threading.Thread.join = watch.watched(threading.Thread.join, "Prefect: heartbeat ends")
    _watch_imports(watch)
    try:
        if kind == "bare":
            watch.rename("apply")
            sys.argv[1:] = [directory]
            runpy.run_path(str(Path(__file__).with_name("bare_loop.py")), run_name="__main__")
        else:
            watch.rename("command line")
            sys.argv[:] = ["confiture-flows", "migrate", "--dir", directory]
            sys.argv += ["--plain"] if kind == "plain" else []
            from confiture_flows.cli.main import main as run

            run()
    finally:
        watch.rename("")
        answer.write_text(json.dumps(dict(watch.seconds)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), float(sys.argv[4]))
