"""One run inside a process that has imported everything: prints the seconds it took.

Run as `python -m tests.benchmarks.inside KIND DIRECTORY`, the connection string in CONFITURE_DSN;
KIND is bare, engine or flush-run. A process a run, so that nothing is cached.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

# Imported for their cost: the engine itself waits until it needs them.
import postgast  # noqa: F401
import psycopg  # noqa: F401

from confiture_flows.migrations.layouts import all_layouts
from confiture_flows.migrations.lifecycle import Request, run_lifecycle
from confiture_flows.migrations.observer import Observer
from confiture_flows.migrations.plain import PlainStages
from confiture_flows.migrations.plan import Direction
from confiture_flows.report.finding import Severity
from confiture_flows.target import Target, connect
from tests.benchmarks import bare_loop

if TYPE_CHECKING:
    from confiture_flows.config import FlushName


def run_engine(dsn: str, directory: Path, flush: FlushName = "commit") -> None:
    """What `confiture-flows migrate --plain` does, without the command line."""
    target = replace(Target.from_dsn(dsn), flush=flush)
    with connect(target, "benchmark") as conn:
        run_lifecycle(
            PlainStages(conn, target, Request(directory), Observer(), lambda _report: None),
            target=target.name,
            direction=Direction.UP,
            gate=Severity.ERROR,
        )


def main(kind: str, directory: Path) -> None:
    """Run once and print the seconds."""
    all_layouts()
    dsn = os.environ["CONFITURE_DSN"]
    runs = {
        "bare": bare_loop.migrate,
        "engine": run_engine,
        "flush-run": partial(run_engine, flush="run"),
    }
    run = runs[kind]
    started = time.perf_counter()
    run(dsn, directory)
    print(time.perf_counter() - started)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
