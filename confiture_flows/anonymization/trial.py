"""A plan -> what sample rows say of it, tried in a scratch database. Counts only, never a value.

The strategies mask some rows of each table, and these go into a temporary table that has the
source's conditions: CHECK, domains, lengths, NOT NULL, enums, generated columns, and uniqueness
within the sample. What the rows break as they are is not held against the rules. Both ends of a
foreign key are compared: the same value has to become the same.
"""

from __future__ import annotations

import re
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from confiture_flows.anonymization.copying.sessions import set_text_forms
from confiture_flows.anonymization.rows import (
    DEFAULT_TIMEOUT,
    SomeRows,
    mask_of,
    mask_rows,
    masked_fields,
    read_rows,
)
from confiture_flows.anonymization.selection import quoted
from confiture_flows.anonymization.strategy import is_sql_only
from confiture_flows.errors import StrategyError, TargetError
from confiture_flows.postgres.likeness import read_likeness
from confiture_flows.postgres.schema_copy import copy_schema
from confiture_flows.postgres.scratch import ScratchUnavailable, scratch_database
from confiture_flows.report.finding import Finding, Severity
from confiture_flows.target import Target, connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg
    from psycopg import Connection

    from confiture_flows.anonymization.checks import MaskedTable
    from confiture_flows.anonymization.plan import PlannedTable
    from confiture_flows.anonymization.planning import Planned
    from confiture_flows.anonymization.source import ForeignKeyOf
    from confiture_flows.postgres.likeness import Likeness

DEFAULT_ROWS = 200
_MAINTENANCE = "postgres"
# "COPY trial_after, line 1, column email: ..." tells the column where the error does not.
_COLUMN = re.compile(r"^COPY \w+, line \d+, column (.+?)(?::|$)", re.MULTILINE)
_SAID = {
    "22001": "have a value that is too long",
    "23502": "have NULL where the column is NOT NULL",
    "23505": "are no longer unique",
    "23514": "break a CHECK",
    "23P01": "break an exclusion constraint",
    "22P02": "have a value that its type does not read",
}


@dataclass(frozen=True, slots=True)
class _Broken:
    """A way in which rows do not go in; hashable, to be counted."""

    sqlstate: str
    constraint: str | None
    column: str | None


def try_plan(
    conn: Connection,
    planned: Planned,
    source: Target,
    target: Target | Path,
    rows: int = DEFAULT_ROWS,
    timeout: float = DEFAULT_TIMEOUT,
) -> tuple[Finding, ...]:
    """Mask some rows of each table, and see whether they would go in.

    Args:
        conn: The source; only read.
        planned: The plan.
        source: Where `conn` leads.
        target: On whose server the scratch database is made; of a folder, on one of its own.
        rows: How many of each table at most.
        timeout: Seconds that a strategy may take for them.
    """
    findings: dict[Finding, None] = {}
    tried: list[tuple[MaskedTable, SomeRows, SomeRows]] = []
    by_name = {str(each): each for each in planned.plan.tables}
    for masked in planned.tables:
        if not masked.changed or len(masked.strategies) < len(masked.rules):
            continue  # what is wrong with a rule is told already
        before = read_rows(conn, by_name[str(masked.table)], rows, spread=True, masked=masked)
        after, errors = mask_rows(conn, masked, before, timeout)
        for error in errors:
            findings[Finding("trial.strategy", Severity.ERROR, error.message, error.next_step)] = (
                None
            )
        if before.count and not errors:
            tried.append((masked, before, after))
    findings |= dict.fromkeys(_both_ends(conn, planned, tried))
    if tried:
        findings |= dict.fromkeys(_in_scratch(conn, source, target, tried, by_name))
    return tuple(findings)


def _both_ends(
    conn: Connection, planned: Planned, tried: list[tuple[MaskedTable, SomeRows, SomeRows]]
) -> Iterator[Finding]:
    """Whether the same value becomes the same on both sides of each foreign key."""
    for masked, before, _ in tried:
        for key in planned.source.foreign_keys:
            if key.table not in masked.table.names:
                continue
            for other in planned.tables:
                if key.parent in other.table.names:
                    yield from _compare(conn, key, masked, other, before)


def _compare(
    conn: Connection, key: ForeignKeyOf, own: MaskedTable, other: MaskedTable, rows: SomeRows
) -> Iterator[Finding]:
    for name, referenced in zip(key.columns, key.referenced, strict=True):
        one, two = own.strategies.get(name), other.strategies.get(referenced)
        if one is None or two is None or one.needs() or two.needs():
            continue
        if "null" in (one.name, two.name) or is_sql_only(type(one)) or is_sql_only(type(two)):
            continue
        values = sorted(set(rows.of(name)))
        try:
            here = masked_fields(mask_of(conn, one, own), values)
            # In another order: a strategy that looks at a value's neighbours shows itself.
            there = masked_fields(mask_of(conn, two, other), values[::-1])[::-1]
        except StrategyError:
            continue  # told where the table itself is tried, or the parent's
        differing = sum(a != b for a, b in zip(here, there, strict=True))
        if differing:
            yield Finding(
                "foreign_key.differs",
                Severity.ERROR,
                f"{key}: {differing} of {len(values)} values become different ones in {name} and "
                f"in {'.'.join(key.parent)}.{referenced}, though the rule is the same.",
                "Choose a strategy whose result depends on the value alone, and give both "
                "columns one length.",
            )


def _in_scratch(
    conn: Connection,
    source: Target,
    target: Target | Path,
    tried: list[tuple[MaskedTable, SomeRows, SomeRows]],
    planned: dict[str, PlannedTable],
) -> Iterator[Finding]:
    try:
        with _same_schema(conn, source, target) as scratch:
            for masked, before, after in tried:
                yield from _insert(scratch, masked, planned[str(masked.table)], before, after)
    except ScratchUnavailable as error:
        yield Finding(
            "trial.not_possible",
            Severity.WARNING,
            f"Sample rows could not be tried against CHECKs, domains and lengths: {error.reason}",
            error.next_step,
        )


@contextmanager
def _same_schema(
    conn: Connection, source: Target, target: Target | Path
) -> Iterator[psycopg.Connection]:
    """A scratch database with the source's schema.

    Raises:
        ScratchUnavailable: There is none to be had, or the schema cannot be made in it.
    """
    from psycopg.conninfo import make_conninfo

    likeness = read_likeness(conn)
    dsn = None if isinstance(target, Path) else make_conninfo(target.dsn, dbname=_MAINTENANCE)
    with (
        scratch_database(_for_server(likeness, dsn), dsn) as place,
        connect(place.target(), "anonymize") as scratch,
    ):
        copy_schema(scratch, place, source.dsn, likeness, whose="source")
        set_text_forms(scratch)
        yield scratch


def _for_server(likeness: Likeness, dsn: str | None) -> Likeness:
    """A target's server may be of another version, which is the copy's to judge."""
    if dsn is None:
        return likeness
    try:
        with connect(Target("scratch", dsn), "anonymize") as admin:
            return replace(likeness, major=admin.info.server_version // 10_000)
    except TargetError as error:
        raise ScratchUnavailable(error.message, error.next_step) from None


def _insert(
    scratch: psycopg.Connection,
    masked: MaskedTable,
    table: PlannedTable,
    before: SomeRows,
    after: SomeRows,
) -> Iterator[Finding]:
    import psycopg

    like = quoted(table.schema, table.name)
    for name in ("trial_before", "trial_after"):
        create = (
            f"DROP TABLE IF EXISTS pg_temp.{name}; CREATE TEMPORARY TABLE {name} (LIKE {like}"
            " INCLUDING CONSTRAINTS INCLUDING INDEXES INCLUDING GENERATED)"
        )
        scratch.execute(create.encode())
    lines = after.lines()
    try:
        with scratch.transaction():
            _copy(scratch, "trial_after", after.columns, lines)
    except psycopg.Error:
        counted = Counter(_one_by_one(scratch, before, after))
    else:
        return
    for broken, count in counted.items():
        yield Finding("trial.refused", Severity.ERROR, *_told(masked, broken, count, len(lines)))


def _one_by_one(
    scratch: psycopg.Connection, before: SomeRows, after: SomeRows
) -> Iterator[_Broken]:
    """How each row that does not go in breaks, unless it does so as it is, too."""
    for old, new in zip(before.lines(), after.lines(), strict=True):
        own = _attempt(scratch, "trial_before", before.columns, old)
        broken = _attempt(scratch, "trial_after", after.columns, new)
        if broken is not None and broken != own:
            yield broken


def _attempt(
    scratch: psycopg.Connection, table: str, columns: tuple[str, ...], line: str
) -> _Broken | None:
    import psycopg

    try:
        with scratch.transaction():
            _copy(scratch, table, columns, [line])
    except psycopg.Error as error:
        column = error.diag.column_name
        if column is None and (found := _COLUMN.search(error.diag.context or "")):
            column = found[1]
        return _Broken(error.sqlstate or "XX000", error.diag.constraint_name, column)
    return None


def _copy(
    scratch: psycopg.Connection, table: str, columns: tuple[str, ...], lines: list[str]
) -> None:
    query = f"COPY {table} ({', '.join(map(quoted, columns))}) FROM STDIN"
    with scratch.cursor().copy(query.encode()) as copy:
        copy.write("".join(f"{line}\n" for line in lines))


def _told(masked: MaskedTable, broken: _Broken, count: int, total: int) -> tuple[str, str]:
    said = _SAID.get(broken.sqlstate, f"are refused (SQLSTATE {broken.sqlstate})")
    where = f"{masked.table}.{broken.column}" if broken.column else str(masked.table)
    constraint = broken.constraint
    # A temporary table's own indexes and CHECKs are called after it.
    if constraint and constraint.startswith("trial_after"):
        constraint = constraint.replace("trial_after", masked.table.name, 1)
    named = f" ({constraint})" if constraint else ""
    strategies = ", ".join(
        f"{name} by {masked.rules[name].strategy}" for name in sorted(masked.changed)
    )
    message = f"{count} of {total} sample rows of {where} {said}{named} once anonymized"
    next_step = "Choose a strategy or options whose results fit; see rows with: confiture-flows "
    return f"{message}: {strategies}.", f"{next_step}anonymize --dry-run --table {masked.table}"
