"""conn + tables to copy -> what is personal in their columns without a rule, by names and samples.

Only values of those columns are read, within time limits, in read-only transactions of their own:
one that fails would end the snapshot of the plan. Findings hold words and counts, never a value.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from confiture_flows.anonymization.detection import detect_personal
from confiture_flows.anonymization.sampling import SampleLimits, sample_source
from confiture_flows.report.finding import Finding, Severity

if TYPE_CHECKING:
    from psycopg import Connection

    from confiture_flows.anonymization.checks import MaskedTable
    from confiture_flows.anonymization.detection import Detection
    from confiture_flows.anonymization.rules import Rules
    from confiture_flows.anonymization.source import SourceCatalog

DEFAULT_SAMPLES = 100
# A plan is waited for: less time than `confiture-flows detect` takes.
_TABLE_SECONDS, _SECONDS = 2.0, 20.0
# Schema, table and column, of a partition those of the table that it is a part of.
ColumnName = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Uncovered:
    """What looks personal in columns without a rule.

    Attributes:
        detections: The surest of each column.
        unread: Tables that were judged by their names alone, in findings.
    """

    detections: dict[ColumnName, Detection]
    unread: tuple[Finding, ...] = ()


def find_uncovered(
    conn: Connection,
    rules: Rules,
    source: SourceCatalog,
    tables: tuple[MaskedTable, ...],
    samples: int = DEFAULT_SAMPLES,
) -> Uncovered:
    """Look at the columns that are copied as they are.

    Args:
        conn: The source, in autocommit.
        rules: What the configuration says.
        source: What there is.
        tables: Those whose rows are copied.
        samples: How many rows of each table are looked at; 0 judges by names alone.

    Raises:
        ConfigError: A detector of another package cannot be used.
    """
    bare = {
        (*masked.table.family, column.name)
        for masked in tables
        for column in masked.table.columns
        if column.name not in masked.rules and not rules.allows(masked.table.names, column.name)
    }
    copied = replace(source, tables=tuple(each.table for each in tables))
    limits = SampleLimits(samples, _TABLE_SECONDS, _SECONDS)
    sampled = sample_source(conn, copied, limits, lambda table, name: (*table, name) in bare)
    found: dict[ColumnName, Detection] = {}
    for each in detect_personal(sampled.columns):
        name = (each.column.schema, each.column.table, each.column.name)
        if name in bare and (name not in found or found[name].score < each.score):
            found[name] = each
    return Uncovered(found, tuple(map(_unread, sampled.unread)))


def _unread(table: tuple[str, str]) -> Finding:
    return Finding(
        "personal.not_sampled",
        Severity.INFO,
        f"{table[0]}: its columns without a rule were judged by their names alone: {table[1]}.",
    )
