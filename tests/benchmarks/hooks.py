"""What an empty hook costs a flow run: `python -m tests.benchmarks.hooks`.

Runs with nothing pending, side by side: without hooks, with many empty functions (task runs), with
some empty flows (sub-flow runs). The difference, divided by their number, is the cost of one.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.settings import PREFECT_API_URL, temporary_settings

from confiture_flows.cli.prefect_server import temporary_server
from confiture_flows.flows import migrate_flow
from confiture_flows.flows._targets import given_target
from confiture_flows.hooks.registry import hook, registered
from confiture_flows.postgres import provide_server
from confiture_flows.target import Target

ROUNDS = 5
FUNCTIONS, FLOWS = 20, 5


def nothing(context: object) -> None:
    """An empty hook."""


def seconds_of_a_run(directory: str, call: Callable[..., Any], count: int) -> float:
    """How long a run with so many hooks takes."""
    for number in range(count):
        hook("before_validate", name=f"empty {number}")(call)
    try:
        started = time.perf_counter()
        migrate_flow(target="bench", directory=directory)
        return time.perf_counter() - started
    finally:
        registered.remove(call)


def measure(dsn: str, rounds: int = ROUNDS) -> dict[str, float]:
    """Seconds: of a run without hooks, and of one hook of each sort."""
    empty_flow = flow(name="empty")(nothing)
    ways: dict[str, tuple[Callable[..., Any], int]] = {
        "without": (nothing, 0),
        "function": (nothing, FUNCTIONS),
        "flow": (empty_flow, FLOWS),
    }
    times: dict[str, list[float]] = {way: [] for way in ways}
    with (
        tempfile.TemporaryDirectory() as directory,
        given_target(Target("bench", dsn)),
    ):
        (Path(directory) / "0001_a.up.sql").write_text("CREATE TABLE a (id int);")
        migrate_flow(target="bench", directory=directory)
        for _ in range(rounds):
            for way, (call, count) in ways.items():
                times[way].append(seconds_of_a_run(directory, call, count))
    base = statistics.median(times["without"])
    return {
        "run": base,
        "function": (statistics.median(times["function"]) - base) / FUNCTIONS,
        "flow": (statistics.median(times["flow"]) - base) / FLOWS,
    }


def main() -> None:
    """Measure and print."""
    with provide_server() as postgres, temporary_server() as server:
        server.wait()
        with temporary_settings({PREFECT_API_URL: server.api_url}):
            found = measure(postgres.dsn)
    print(f"a run without hooks       {found['run'] * 1000:8.0f} ms")
    print(f"an empty function, a run  {found['function'] * 1000:8.1f} ms")
    print(f"an empty flow, a run      {found['flow'] * 1000:8.1f} ms")


if __name__ == "__main__":
    main()
