"""Flyway's layout: which files it sees, which versions are one, and what it makes nothing of."""

from __future__ import annotations

from pathlib import Path

import pytest

from confiture_flows.migrations.discovery import Directory, discover
from confiture_flows.migrations.texts import Texts
from confiture_flows.report.finding import Severity
from confiture_flows.sql.script import TransactionMode
from tests.support import in_sql


def codes(directory: Directory) -> list[tuple[str, str]]:
    return [
        (finding.code, finding.location.file.name if finding.location else "")
        for finding in directory.findings
    ]


def test_subfolders_are_read_and_versions_ordered_by_their_numbers(oddities: Path) -> None:
    directory = discover(oddities / "flyway")

    assert directory.layout == "flyway"
    assert directory.findings == ()
    assert [(each.version, each.name, each.repeatable) for each in directory.migrations] == [
        ("1", "users", False),
        ("2", "orders", False),
        ("2.1", "items", False),
        ("10", "index", False),
        ("R__a_view", "a_view", True),
        ("R__b_view", "b_view", True),
    ]


def test_undo_script_is_the_way_down_of_the_same_numbers(write_directory) -> None:
    directory = write_directory(
        {"V1.2__a.sql": "SELECT 1;", "undo/U1_2.0__anything.sql": "SELECT 2;"}
    )

    (migration,) = directory.migrations
    assert migration.version == "1.2"
    assert migration.down.path.name == "U1_2.0__anything.sql"


def test_second_undo_script_of_a_version_is_refused(write_directory) -> None:
    directory = write_directory(
        {"V1__a.sql": "SELECT 1;", "U1__a.sql": "SELECT 2;", "U01__b.sql": "SELECT 3;"}
    )

    (finding,) = directory.findings
    assert (finding.code, finding.severity) == ("history.duplicate", Severity.ERROR)
    assert "U01__b.sql and U1__a.sql" in finding.message


@pytest.mark.parametrize(
    ("one", "other"), [("1", "1.0"), ("1", "01"), ("1.2", "1_2"), ("1.0.0", "1"), ("1.1", "1.01")]
)
def test_versions_of_the_same_numbers_are_one(write_directory, one: str, other: str) -> None:
    directory = write_directory({f"V{one}__a.sql": "SELECT 1;", f"V{other}__b.sql": "SELECT 2;"})

    (finding,) = directory.findings
    assert (finding.code, finding.severity) == ("history.duplicate", Severity.ERROR)


def test_versions_of_other_numbers_are_not(write_directory) -> None:
    directory = write_directory({"V1.10__a.sql": "SELECT 1;", "V1.1__b.sql": "SELECT 2;"})

    assert directory.findings == ()
    assert [each.version for each in directory.migrations] == ["1.1", "1.10"]


def test_repeatable_of_one_description_twice_is_refused(write_directory) -> None:
    directory = write_directory(
        {"V1__a.sql": "", "a/R__all_views.sql": "SELECT 1;", "b/R__all_views.sql": "SELECT 2;"}
    )

    (finding,) = directory.findings
    assert finding.code == "history.duplicate"
    assert "a/R__all_views.sql and b/R__all_views.sql" in finding.message


def test_what_flyway_would_not_run_or_we_do_not_is_found(oddities: Path) -> None:
    directory = discover(oddities / "flyway_odd_names")

    assert [each.version for each in directory.migrations] == ["1", "3"]
    assert codes(directory) == [
        ("file.misnamed", "R1__views.sql"),
        ("file.misnamed", "V2_b.sql"),
        ("file.unsupported", "V4__c.java"),
        ("file.unsupported", "afterMigrate__grants.sql"),
        ("file.misnamed", "v8__lower.sql"),
        ("file.without_up", "U6__gone.sql"),
        ("file.unsupported", "B1__base.sql"),
    ]
    assert "callback" in directory.findings[3].message
    assert {each.severity for each in directory.findings} == {Severity.WARNING}


def test_baseline_without_the_versions_it_stands_for_stops_the_run(write_directory) -> None:
    directory = write_directory({"B5__base.sql": "SELECT 1;", "V6__next.sql": "SELECT 2;"})

    (finding,) = directory.findings
    assert (finding.code, finding.severity) == ("file.invalid", Severity.ERROR)
    assert finding.version == "5"
    assert "V5__base.sql" in (finding.next_step or "")


def test_settings_beside_a_script_are_heeded(oddities: Path) -> None:
    directory = discover(oddities / "flyway_script_settings", texts=Texts({"literal": "no"}))

    index, literal, latin = directory.migrations
    assert in_sql(index.up).transaction is TransactionMode.NONE
    assert [each.sql for batch in literal.up.batches() for each in batch.statements] == [
        "SELECT '${literal}'"
    ]
    assert in_sql(latin.up).transaction is TransactionMode.AUTO
    (finding,) = directory.findings
    assert (finding.code, finding.severity) == ("file.metadata", Severity.ERROR)
    assert "encoding=ISO_8859_1" in finding.message
    assert finding.location is not None
    assert finding.location.line == 2


@pytest.mark.parametrize("line", ["shouldExecute=false", "executeInTransaction=maybe", "what=1"])
def test_setting_that_is_not_heeded_is_not_passed_over(write_directory, line: str) -> None:
    directory = write_directory({"V1__a.sql": "SELECT 1;", "V1__a.sql.conf": line})

    (finding,) = directory.findings
    assert (finding.code, finding.severity) == ("file.metadata", Severity.ERROR)
    assert line in finding.message


def test_flyways_own_placeholders_that_need_no_connection(write_directory) -> None:
    directory = write_directory(
        {"V1__a.sql": "SELECT '${flyway:filename}', '${flyway:timestamp}';"}
    )

    ((batch,),) = (each.up.batches() for each in directory.migrations)
    assert batch.statements[0].sql.startswith("SELECT 'V1__a.sql', '20")


@pytest.mark.parametrize(
    ("names", "layout"),
    [
        (["V1__a.sql"], "flyway"),
        (["sub/V1__a.sql"], "flyway"),
        (["R__a.sql"], "flyway"),
        (["V1__a.sql", "1_seed.sql"], "flyway"),
        (["1_a.sql", "sub/V1__b.sql"], "flat"),
        (["1_a.sql", "R__b.sql"], "flat"),
        (["V1__a.up.sql"], "pairs"),
        (["0001_a.up.sql", "R__b.sql"], "pairs"),
    ],
)
def test_layout_is_told_from_the_names(write_directory, names: list[str], layout: str) -> None:
    assert write_directory(dict.fromkeys(names, "SELECT 1;")).layout == layout
