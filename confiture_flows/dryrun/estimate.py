"""What a statement took in the scratch database + the target's sizes -> how long it takes there.

Pure. What does not depend on a table's size takes as long as it took. What does is scaled by rows,
for an index by rows times their logarithm, from the rate of this very statement on the sample;
where too few rows were there to measure a rate, the answer is unknown. The range is what the
calibration benchmark saw (docs/adr/0022): the scratch server does not wait for its disk, the
target does.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from confiture_flows.dryrun.report import Estimate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confiture_flows.dryrun.report import MigrationImpact, StatementImpact, TableSize

FEWEST_ROWS = 1000  # fewer take no longer than the statement itself
_FIXED = 0.0008  # seconds of a statement on a table without rows
RANGE = 2.0  # the factor by which a scaled estimate may be off, either way
_SETUP_RANGE = 3.0  # the same for what takes milliseconds: mostly the server's mood
_LEAST = 0.001


def with_estimates(migration: MigrationImpact, tables: Mapping[str, TableSize]) -> MigrationImpact:
    """A migration whose statements have estimates.

    Args:
        migration: As it was rehearsed.
        tables: Of the target, by name.
    """
    statements = tuple(
        each if each.seconds is None else replace(each, estimate=estimate(each, tables))
        for each in migration.statements
    )
    return replace(migration, statements=statements)


def estimate(statement: StatementImpact, tables: Mapping[str, TableSize]) -> Estimate:
    """How long a statement takes on the target, and what it needs there.

    Args:
        statement: As it went in the scratch database.
        tables: Of the target, by name. What is not among them is made by the plan itself.
    """
    seconds = statement.seconds or 0.0
    concerned = [tables[name] for name in _tables(statement) if name in tables]
    if not concerned:
        return Estimate(
            seconds / _SETUP_RANGE,
            max(seconds * _SETUP_RANGE, _LEAST),
            "does not depend on the size of a table",
            disk_bytes=0,
            wal_bytes=statement.wal_bytes,
        )
    largest = max(concerned, key=lambda table: (table.scale is None, table.scale or 0, table.rows))
    disk = _disk(statement, tables)
    scale = largest.scale
    if scale is None or (scale > 1 and largest.sampled < FEWEST_ROWS):
        had = f"only {largest.sampled}" if largest.sampled else "none"
        return Estimate(
            None,
            None,
            f"unknown: {largest.name} has about {largest.rows} rows, and {had} could be measured",
            disk_bytes=disk,
        )
    work = max(seconds - _FIXED, seconds / 10)
    growth = _logarithm(largest) if statement.indexes and not statement.rewrites else 1.0
    middle = min(seconds, _FIXED) + work * scale * growth
    return Estimate(
        middle / RANGE,
        middle * RANGE,
        f"{_rate(largest, work)} measured on {largest.sampled} rows of {largest.name}",
        disk_bytes=disk,
        wal_bytes=round(statement.wal_bytes * scale),
    )


def total(estimates: list[Estimate]) -> Estimate | None:
    """Estimates one after the other; None without any."""
    if not estimates:
        return None
    unknown = next((each for each in estimates if not each.known), None)
    if unknown:
        return unknown
    return Estimate(
        sum(each.low or 0 for each in estimates),
        sum(each.high or 0 for each in estimates),
        max(estimates, key=lambda each: each.high or 0).basis,
        disk_bytes=sum(each.disk_bytes or 0 for each in estimates),
        wal_bytes=sum(each.wal_bytes or 0 for each in estimates),
    )


def _tables(statement: StatementImpact) -> tuple[str, ...]:
    worked_on = statement.worked_on
    if worked_on or not (statement.updated or statement.deleted):
        return worked_on
    # Rows were found by an index: there are as many more of them as there are rows.
    return tuple(lock.relation for lock in statement.locks if lock.existed)


def _disk(statement: StatementImpact, tables: Mapping[str, TableSize]) -> int | None:
    """Bytes beside what is there: a rewrite writes a second table and its indexes."""
    needed = sum(tables[name].total_bytes for name in statement.rewrites if name in tables)
    built = [tables[table] for _, table in statement.indexes if table in tables]
    built = [table for table in built if table.name not in statement.rewrites]
    if built:
        scale = max((table.scale or 0) for table in built)
        if not scale:
            return None
        needed += round(statement.new_bytes * scale)
    return needed


def _logarithm(table: TableSize) -> float:
    return math.log(max(table.rows, 2)) / math.log(max(table.sampled, 2))


def _rate(table: TableSize, work: float) -> str:
    return f"{round(table.sampled / max(work, 1e-6), -3):,.0f} rows/s"
