"""Seconds in the scratch database and sizes on the target -> a range, or unknown."""

from __future__ import annotations

import pytest

from confiture_flows.dryrun.estimate import RANGE, estimate, total
from confiture_flows.dryrun.report import Estimate, LockTaken, StatementImpact, TableSize
from confiture_flows.dryrun.words import duration, size, span
from confiture_flows.sql.parts import LockMode

BIG = TableSize("public.big", 1_000_000, 100_000_000, 40_000_000, sampled=20_000)


def statement(seconds: float, **did: object) -> StatementImpact:
    return StatementImpact(1, 1, None, "ALTER", "alter_table_stmt", seconds, **did)  # pyright: ignore[reportArgumentType]


def test_rewrite_is_scaled_by_rows_and_needs_a_second_table() -> None:
    found = estimate(statement(0.1, rewrites=("public.big",), wal_bytes=1000), {BIG.name: BIG})

    assert found.low is not None
    assert found.high is not None
    assert found.high / found.low == pytest.approx(RANGE**2)
    assert found.low < 5 < found.high
    assert (found.disk_bytes, found.wal_bytes) == (140_000_000, 50_000)
    assert "rows/s measured on 20000 rows of public.big" in found.basis


def test_index_grows_a_little_faster_than_its_rows() -> None:
    index = statement(0.1, indexes=(("public.i", "public.big"),), new_bytes=500_000)
    scan = statement(0.1, scans=("public.big",))

    built, read = (estimate(each, {BIG.name: BIG}) for each in (index, scan))

    assert built.high is not None
    assert read.high is not None
    assert 1.2 < built.high / read.high < 1.6
    assert built.disk_bytes == 25_000_000


@pytest.mark.parametrize("sampled", [0, 10])
def test_too_few_rows_are_unknown(sampled: int) -> None:
    table = TableSize("public.big", 1_000_000, 1, 1, sampled=sampled)

    found = estimate(statement(0.1, rewrites=("public.big",)), {table.name: table})

    assert not found.known
    assert found.basis.startswith("unknown: public.big has about 1000000 rows")


def test_small_table_that_was_copied_whole_is_known() -> None:
    table = TableSize("public.small", 10, 8192, 0, sampled=10)

    assert estimate(statement(0.001, scans=("public.small",)), {table.name: table}).known


def test_table_of_the_plan_itself_takes_what_it_took() -> None:
    found = estimate(statement(0.5, rewrites=("public.new",)), {BIG.name: BIG})

    assert found.low is not None
    assert found.low < 0.5 < (found.high or 0)


def test_rows_found_by_an_index_are_scaled_too() -> None:
    lock = LockTaken(LockMode.ROW_EXCLUSIVE, "public.big")

    found = estimate(statement(0.1, updated=100, locks=(lock,)), {BIG.name: BIG})

    assert (found.high or 0) > 5


def test_total_is_unknown_where_a_part_is() -> None:
    known, unknown = Estimate(1, 2, "a", 5, 6), Estimate(None, None, "unknown: b")

    assert total([]) is None
    assert total([known, unknown]) == unknown
    both = total([known, known])
    assert both
    assert (both.low, both.high, both.disk_bytes, both.wal_bytes) == (2, 4, 10, 12)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.0001, "under 1 ms"), (0.02, "20 ms"), (1.26, "1.3 s"), (75, "75 s"), (600, "10 min"),
     (9000, "2.5 h")],
)  # fmt: skip
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.02, 0.08, "20 to 80 ms"), (0.5, 2.0, "500 ms to 2.0 s"), (0.001, 0.004, "4 ms")],
)
def test_ranges(low: float, high: float, said: str) -> None:
    assert span(Estimate(low, high, "")) == said


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 bytes"), (1536, "1.5 kB"), (50 << 20, "50 MB"), (3 << 40, "3.0 TB")]
)
def test_sizes(count: int, said: str) -> None:
    assert size(count) == said
