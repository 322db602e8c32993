"""What isolation costs: `python -m tests.benchmarks.isolation`.

The same keyed strategy in this process and in a worker of its own, batch by batch in turn, so that
noise meets both alike.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from confiture_flows.anonymization.factory import StrategyFactory
from confiture_flows.anonymization.keys import Secret
from confiture_flows.anonymization.rules import ColumnRule, Pattern
from confiture_flows.anonymization.sandbox.strategy import SandboxedStrategy
from confiture_flows.anonymization.strategy import Column, StrategyBase
from confiture_flows.anonymization.trust import Isolation, StrategyName
from confiture_flows.report.document import Document, Table
from confiture_flows.report.markdown import render_markdown

KIT = Path(__file__).parents[1] / "integration" / "isolation"
REFERENCE = "vendor_kit.masks:Name"
BATCHES = (1, 100, 1_000, 10_000)
COLUMN = Column("public", "users", "name", "text")


def strategies() -> tuple[StrategyBase, SandboxedStrategy]:
    """The strategy in this process, and isolated."""
    factory = StrategyFactory(Secret(b"0123456789abcdef0123456789abcdef"))
    pattern = Pattern.read("public.users.name", 3)
    sys.path.insert(0, str(KIT))
    try:
        here = factory.make(ColumnRule(pattern, REFERENCE), COLUMN)
    finally:
        sys.path.remove(str(KIT))
    name = StrategyName(REFERENCE, (Isolation("vendor_kit", root=KIT),))
    there = factory.make(ColumnRule(pattern, name), COLUMN)
    assert isinstance(there, SandboxedStrategy)
    return here, there


def seconds(call: Callable[[Sequence[Any]], object], values: list[str]) -> tuple[float, float]:
    """One batch: by the clock, and of the processors."""
    used, started = processor_seconds(), time.perf_counter()
    call(values)
    took = time.perf_counter() - started
    return took, processor_seconds() - used


def processor_seconds() -> float:
    """What this process and those that it has started, and that run, have used so far."""
    used = time.process_time()
    for task in Path("/proc/self/task").iterdir():
        for child in (task / "children").read_text().split():
            used += int(Path("/proc", child, "schedstat").read_text().split()[0]) / 1e9
    return used


def cost(rounds: int) -> Document:
    """Compare both at several sizes of a batch.

    Args:
        rounds: How many batches of each size.
    """
    here, there = strategies()
    rows: list[tuple[str, ...]] = []
    for size in BATCHES:
        values = [f"ada.lovelace.{number}@example.org" for number in range(size)]
        inside, isolated = [], []
        for _ in range(rounds):
            inside.append(seconds(here.anonymize_batch, values))
            isolated.append(seconds(there.anonymize_batch, values))
        (here_took, here_used), (there_took, there_used) = (
            zip(*inside, strict=True),
            zip(*isolated, strict=True),
        )
        least = min(there_took) / min(here_took) - 1
        usual = statistics.median(there_took) / statistics.median(here_took) - 1
        used = sum(there_used) / sum(here_used) - 1
        rows.append(
            (
                f"{size:,}",
                f"{min(here_took) / size * 1e6:.2f}",
                f"{min(there_took) / size * 1e6:.2f}",
                f"{least:+.0%}",
                f"{usual:+.0%}",
                f"{used:+.0%}",
            )
        )
    columns = (
        "values in a batch",
        "µs a value",
        "isolated",
        "more",
        "more, by the median",
        "more of the processors",
    )
    started = time.perf_counter()
    there.close()
    there.anonymize("ada")
    start = Table(("a worker's start", "seconds"), (("", f"{time.perf_counter() - started:.2f}"),))
    there.close()
    return Document("Isolation of a keyed strategy", (Table(columns, tuple(rows)), start))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.isolation")
    parser.add_argument("--rounds", type=int, default=200, help="batches of each size [200]")
    print(render_markdown(cost(parser.parse_args().rounds)), flush=True)


if __name__ == "__main__":
    main()
