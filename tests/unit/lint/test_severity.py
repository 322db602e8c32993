"""Severities from lock, duration, size and writes; the file that keeps sizes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from confiture_flows.errors import ConfigError
from confiture_flows.lint.settings import LintSettings
from confiture_flows.lint.severity import Burden, Duration, severity_of
from confiture_flows.lint.statistics import (
    TableFacts,
    TableStatistics,
    read_statistics,
    write_rate,
    write_statistics,
)
from confiture_flows.report.finding import Severity
from confiture_flows.sql.parts import LockMode, ObjectName

from .conftest import LintFiles

SMALL = TableFacts(9_000, 1 << 20, 500.0)
MIDDLE = TableFacts(90_000, 50 << 20)
BUSY = TableFacts(90_000, 50 << 20, 25.0)
TO_READ = TableFacts(500_000, 200 << 20)
LARGE = TableFacts(2_000_000, 100 << 20)
WIDE = TableFacts(5_000, 2 << 30)
DAY = date(2026, 11, 25)
MADE = "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, note text);"


@pytest.mark.parametrize(
    ("lock", "duration", "said"),
    [
        # None, small, middle, busy, to read, large, wide
        ("ACCESS EXCLUSIVE", Duration.METADATA, "error info info warning info warning warning"),
        ("ACCESS EXCLUSIVE", Duration.SCAN, "error info warning error warning error error"),
        ("SHARE", Duration.SCAN, "error info warning error warning error error"),
        ("ACCESS EXCLUSIVE", Duration.REWRITE, "error info warning error error error error"),
        (
            "ROW EXCLUSIVE",
            Duration.REWRITE,
            "error info warning warning warning warning warning",
        ),
    ],
)
def test_severity_follows_lock_duration_and_size(lock: str, duration: Duration, said: str) -> None:
    burden = Burden(LockMode(lock), duration)
    sizes = (None, SMALL, MIDDLE, BUSY, TO_READ, LARGE, WIDE)
    found = [severity_of(Severity.ERROR, burden, each).label for each in sizes]
    assert " ".join(found) == said


def test_severity_is_never_worse_than_the_rule_s() -> None:
    burden = Burden(LockMode.ACCESS_EXCLUSIVE, Duration.SCAN)
    assert severity_of(Severity.INFO, burden, LARGE) is Severity.INFO
    assert severity_of(Severity.INFO, burden, None) is Severity.INFO


@pytest.mark.parametrize(
    ("sql", "facts", "severity", "reason"),
    [
        (
            "CREATE INDEX i ON orders (user_id);",
            LARGE,
            "error",
            "SHARE while all rows are read; 2,000,000 rows, 100 MB",
        ),
        (
            "CREATE INDEX i ON orders (user_id);",
            BUSY,
            "error",
            "SHARE while all rows are read; 90,000 rows, 50 MB, 25 writes/s",
        ),
        (
            "CREATE INDEX i ON public.orders (user_id);",
            None,
            "error",
            "SHARE while all rows are read; size unknown",
        ),
        (
            "ALTER TABLE orders ALTER COLUMN id TYPE text;",
            TO_READ,
            "error",
            "ACCESS EXCLUSIVE while all rows are written; 500,000 rows, 200 MB",
        ),
        (
            "UPDATE orders SET note = '';",
            SMALL,
            "info",
            "ROW EXCLUSIVE while all rows are written; 9,000 rows, 1.0 MB, 500 writes/s",
        ),
    ],
)
def test_finding_says_what_its_severity_comes_from(
    sql: str, facts: TableFacts | None, severity: str, reason: str, lint_files: LintFiles
) -> None:
    tables = {ObjectName("public", "orders"): facts} if facts else {}
    settings = LintSettings(statistics=TableStatistics(DAY, tables))
    files = {"1_a.up.sql": MADE, "2_b.up.sql": sql}
    found = lint_files(files, only=frozenset(("2",)), settings=settings)
    (finding,) = [each for each in found.findings if each.rule in ("CF01", "CF11", "CF41")]
    assert (finding.severity.label, finding.reason) == (severity, reason)
    assert f"[{reason}]" in finding.remark().message
    assert f"[{reason}]" in finding.finding().message


def test_what_runs_under_a_lock_counts_by_its_own_table(lint_files: LintFiles) -> None:
    files = {
        "1_a.up.sql": MADE + "CREATE TABLE few (id bigint PRIMARY KEY);",
        "2_b.up.sql": "ALTER TABLE few ADD COLUMN n int; UPDATE orders SET note = '';",
    }
    few, orders = ObjectName("public", "few"), ObjectName("public", "orders")
    settings = LintSettings(statistics=TableStatistics(DAY, {few: SMALL, orders: LARGE}))
    found = lint_files(files, only=frozenset(("2",)), settings=settings).findings
    (finding,) = [each for each in found if each.rule == "CF21"]
    assert finding.severity is Severity.WARNING
    assert finding.reason.startswith("ACCESS EXCLUSIVE while all rows are written; 2,000,000 rows")


def test_empty_table_may_get_a_required_column(lint_files: LintFiles) -> None:
    files = {"1_a.up.sql": MADE, "2_b.up.sql": "ALTER TABLE orders ADD COLUMN n int NOT NULL;"}
    for size, expected in ((0, []), (8192, ["CF08"])):
        tables = {ObjectName("public", "orders"): TableFacts(0, size)}
        settings = LintSettings(statistics=TableStatistics(DAY, tables))
        found = lint_files(files, only=frozenset(("2",)), settings=settings).findings
        assert [each.rule for each in found if each.rule == "CF08"] == expected


def test_writes_are_counted_over_an_hour_at_least() -> None:
    assert write_rate(72_000, 7_200.0) == 10
    assert write_rate(72_000, 60.0) is None
    assert write_rate(72_000, None) is None


def test_statistics_file_is_the_same_until_a_table_grows(tmp_path: Path) -> None:
    path = tmp_path / "sizes.json"
    odd = ObjectName("Shop", 'a "b".c')
    tables = {
        ObjectName("public", "z"): TableFacts(1_234_567, 987_654_321, 1.26),
        odd: TableFacts(0, 0),
    }
    assert write_statistics(TableStatistics(DAY, tables), path) == 2
    first = path.read_text()
    assert first.startswith('{\n "measured": "2026-11-25"')
    assert first.index("Shop") < first.index("public")
    read = read_statistics(path)
    assert read.measured == DAY
    assert read.tables[ObjectName("public", "z")] == TableFacts(1_200_000, 990_000_000, 1.3)
    assert read.tables[odd] == TableFacts(0, 0)
    backwards = dict(reversed(tables.items()))
    backwards[ObjectName("public", "z")] = TableFacts(1_234_568, 987_654_399, 1.31)
    write_statistics(TableStatistics(DAY, backwards), path)
    assert path.read_text() == first


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"tables": {}}',
        '{"measured": "yesterday", "tables": {}}',
        '{"measured": "2026-11-25", "tables": {"public": {"t": {"rows": 1}}}}',
        '{"measured": "2026-11-25", "tables": {"public": {"t": 7}}}',
        '{"measured": "2026-11-25", "tables": {"public": {"t": {"rows": Infinity, "bytes": 1}}}}',
        '{"measured": "2026-11-25", "tables": {"public": []}}',
    ],
)
def test_file_that_is_no_statistics_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "sizes.json"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_statistics(path)
    assert caught.value.file == path
    assert "--write-statistics" in (caught.value.next_step or "")


def test_missing_statistics_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_statistics(tmp_path / "none.json")
