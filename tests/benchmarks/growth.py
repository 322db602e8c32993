"""How time grows: with the number of migrations, and with the rows of an anonymized copy."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confiture_flows.anonymization.copying.values import CopyOptions
from confiture_flows.report.document import Document, Table
from tests.benchmarks.candidates import BARE_INSIDE, PLAIN, Bench
from tests.benchmarks.copies import BARE
from tests.benchmarks.copies import Bench as CopyBench
from tests.benchmarks.servers import durable_server
from tests.benchmarks.work import write_work

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

NOTHING = f"{PLAIN}, nothing pending"
COPIED = "three hashes, 2 workers, whole copy"
# Four columns of the ten that copies are measured with: ten million rows of all take six minutes.
TABLE = "CREATE TABLE person (id bigint PRIMARY KEY, email text NOT NULL, name text, phone text)"
FILL = """
INSERT INTO person SELECT n, 'user' || n || '@mail' || n %% 97 || '.com',
    'First' || n %% 1000 || ' Last' || n %% 7919, '+49 30 ' || 1000000 + n
    FROM generate_series(1, %s) AS n
"""
HASHED: Mapping[str, Any] = dict.fromkeys(
    ("person__email", "person__name", "person__phone"), "hash"
)


@dataclass(frozen=True, slots=True)
class Curve:
    """Seconds by size.

    Attributes:
        points: Sizes, the smallest first, and seconds.
    """

    points: tuple[tuple[int, float], ...]

    @property
    def exponent(self) -> float:
        """Between the last two points: 1 is in proportion, 2 the square."""
        (smaller, less), (larger, more) = self.points[-2:]
        return math.log(more / less) / math.log(larger / smaller)

    @property
    def each(self) -> float:
        """Seconds that one more costs, between the last two points."""
        (smaller, less), (larger, more) = self.points[-2:]
        return (more - less) / (larger - smaller)


def of_migrations(
    dsn: str, numbers: Sequence[int], tell: Callable[[str], None]
) -> dict[str, Curve]:
    """More and more migrations applied to an empty database, and then with nothing pending.

    Args:
        dsn: Of the server to work on.
        numbers: How many, the fewest first.
        tell: Told what is going on.
    """
    found: dict[str, list[tuple[int, float]]] = {}
    for number in numbers:
        tell(f"{number:,} migrations")
        with tempfile.TemporaryDirectory(prefix="confiture-bench-") as name:
            folder, empty = Path(name), Path(name) / "project"
            empty.mkdir()
            bench = Bench(dsn, write_work(folder, number), empty)
            candidates = bench.candidates()
            for label in (BARE_INSIDE, PLAIN):
                figures = bench.apply_twice(candidates[label])
                found.setdefault(label, []).append((number, figures["apply"]))
                if label == PLAIN:
                    found.setdefault(NOTHING, []).append((number, figures["nothing"]))
    return {label: Curve(tuple(points)) for label, points in found.items()}


def of_rows(numbers: Sequence[int], tell: Callable[[str], None]) -> dict[str, Curve]:
    """Copies of a table with more and more rows, each on a server of its own."""
    found: dict[str, list[tuple[int, float]]] = {BARE: [], COPIED: []}
    options = replace(CopyOptions(), workers=2, replace=True, engine="python")
    for number in numbers:
        tell(f"{number:,} rows")
        with durable_server() as dsn:
            bench = CopyBench(dsn, number, TABLE, FILL)
            found[BARE].append((number, bench.bare()["rows"]))
            found[COPIED].append((number, bench.ours(HASHED, options)()["whole"]))
    return {label: Curve(tuple(points)) for label, points in found.items()}


def growth(title: str, unit: str, curves: Mapping[str, Curve]) -> Document:
    """The curves as a table."""
    sizes = [size for size, _ in next(iter(curves.values())).points]
    rows = tuple(
        (
            label,
            *(f"{seconds:.2f}" for _, seconds in curve.points),
            f"{curve.each * 1e6:,.1f}",
            f"{curve.exponent:.2f}",
        )
        for label, curve in curves.items()
    )
    heads = ("seconds for", *(f"{size:,}" for size in sizes), f"µs more a {unit}", "exponent")
    return Document(title, (Table(heads, rows),))
