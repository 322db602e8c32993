"""What an empty hook costs a run: `python -m tests.benchmarks.hooks`.

Empty hooks of one point, one after another; the time from the start of one to the start of the next
is what one costs. Side by side: called plainly, as task runs, and as sub-flow runs.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.settings import PREFECT_API_URL, temporary_settings

from confiture_flows.cli.prefect_server import temporary_server
from confiture_flows.flows import migrate_flow
from confiture_flows.flows._targets import given_target
from confiture_flows.hooks.executor import HookExecutor
from confiture_flows.hooks.registry import HookRegistry, hook, make_hook, registered
from confiture_flows.migrations.lifecycle import RunReport
from confiture_flows.migrations.plan import Direction
from confiture_flows.postgres import provide_server
from confiture_flows.target import Target

ROUNDS, HOOKS = 7, 6

_starts: list[float] = []


def empty(context: object) -> None:
    """A hook that only takes the time."""
    _starts.append(time.perf_counter())


def gaps() -> list[float]:
    """Seconds between the starts since it was last asked."""
    found = [later - earlier for earlier, later in pairwise(_starts)]
    _starts.clear()
    return found


def plainly(target: Target) -> list[float]:
    """Call the hooks without Prefect."""
    hooks = HookRegistry(make_hook(empty, "before_apply", name=str(n)) for n in range(HOOKS))
    executor = HookExecutor(hooks, target, "run", Direction.UP)
    executor.before_apply(RunReport(target.name, Direction.UP))
    return gaps()


def in_a_flow(directory: str, call: Callable[..., Any]) -> list[float]:
    """Call them in a flow run with nothing pending."""
    for number in range(HOOKS):
        hook("before_validate", name=str(number))(call)
    try:
        migrate_flow(target="bench", directory=directory)
    finally:
        registered.remove(call)
    return gaps()


def measure(dsn: str, rounds: int = ROUNDS) -> dict[str, float]:
    """Median seconds of one hook, by the way it is called."""
    target = Target("bench", dsn)
    times: dict[str, list[float]] = {"plain": [], "task run": [], "sub-flow run": []}
    sub_flow = flow(name="empty")(empty)
    with tempfile.TemporaryDirectory() as directory, given_target(target):
        (Path(directory) / "0001_a.up.sql").write_text("CREATE TABLE a (id int);")
        migrate_flow(target="bench", directory=directory)
        for _ in range(rounds):
            times["plain"] += plainly(target)
            times["task run"] += in_a_flow(directory, empty)
            times["sub-flow run"] += in_a_flow(directory, sub_flow)
    return {way: statistics.median(each) for way, each in times.items()}


def main() -> None:
    """Measure and print."""
    with provide_server() as postgres, temporary_server() as server:
        server.wait()
        with temporary_settings({PREFECT_API_URL: server.api_url}):
            found = measure(postgres.dsn)
    for way, seconds in found.items():
        print(f"{way:<14}{seconds * 1000:8.2f} ms")


if __name__ == "__main__":
    main()
