"""Repeatable migrations: when they are pending, where they come, and what is said of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from confiture_flows.errors import PlanError
from confiture_flows.migrations.discovery import Directory, discover
from confiture_flows.migrations.ledger import LedgerRow
from confiture_flows.migrations.plan import Plan, plan_back, plan_forward
from confiture_flows.migrations.report import plan_document, plan_json, status_document
from confiture_flows.migrations.status import State, read_status
from confiture_flows.migrations.validate import out_of_order, pending, validate
from confiture_flows.report.document import Paragraph, Table
from confiture_flows.report.finding import Severity


@pytest.fixture
def directory(write_directory) -> Directory:
    return write_directory(
        {
            "0001_users.up.sql": "SELECT 1;",
            "0001_users.down.sql": "SELECT -1;",
            "0002_orders.up.sql": "SELECT 2;",
            "0002_orders.down.sql": "SELECT -2;",
            "R__views.sql": "SELECT 3;",
        }
    )


@pytest.fixture
def rows(directory: Directory, make_rows) -> tuple[LedgerRow, ...]:
    """All applied, the repeatable one between the two others."""
    checksums = {each.version: each.checksum for each in directory.migrations}
    return tuple(
        replace(row, checksum=checksums[row.version])
        for row in make_rows("0001", "R__views", "0002")
    )


def changed(rows: tuple[LedgerRow, ...]) -> tuple[LedgerRow, ...]:
    return tuple(replace(row, checksum="other") if row.repeatable else row for row in rows)


def versions(plan: Plan) -> list[str]:
    return [step.migration.version for step in plan.steps]


def test_they_stand_last_whatever_the_other_versions_are(oddities: Path) -> None:
    found = discover(oddities / "pairs_repeatable")

    assert [(each.version, each.label) for each in found.migrations] == [
        ("0001", "0001_users"),
        ("R__grants", "R__grants"),
        ("R__views", "R__views"),
    ]
    (finding,) = found.findings
    assert finding.message == ("R__mistaken.up.sql is not named R__description.sql and is not run.")


def test_descriptions_are_ordered_as_flyway_orders_them(write_directory) -> None:
    """It reads the underscore as a space, which comes before all letters."""
    found = write_directory({"R__ab.sql": "", "R__a_b.sql": "", "R__aC.sql": ""})
    assert [each.version for each in found.migrations] == ["R__a_b", "R__aC", "R__ab"]


@pytest.mark.parametrize(
    ("applied", "expected"),
    [
        ((), ["0001", "0002", "R__views"]),
        (("0001", "0002"), ["R__views"]),
        (("0001", "R__views"), ["0002", "R__views"]),  # its row has no checksum
    ],
)
def test_new_one_runs_after_all_versions(
    directory: Directory, make_rows, applied: tuple[str, ...], expected: list[str]
) -> None:
    plan = plan_forward(directory.migrations, make_rows(*applied))

    assert versions(plan) == expected
    assert [each.version for each in pending(directory, make_rows(*applied))] == expected


def test_it_runs_again_only_when_its_checksum_differs(directory: Directory, rows) -> None:
    assert versions(plan_forward(directory.migrations, rows)) == []

    plan = plan_forward(directory.migrations, changed(rows))
    assert versions(plan) == ["R__views"]
    assert plan.steps[0].replaces == "other"


@pytest.mark.parametrize(("to", "expected"), [("0001", ["0001"]), ("0002", ["0002", "R__views"])])
def test_plan_that_stops_before_the_last_version_leaves_it_out(
    directory: Directory, make_rows, to: str, expected: list[str]
) -> None:
    rows = make_rows("0001") if to == "0002" else ()
    assert versions(plan_forward(directory.migrations, rows, to)) == expected


def test_it_is_no_place_to_go_to(directory: Directory, rows) -> None:
    with pytest.raises(PlanError, match="R__views is repeatable"):
        plan_forward(directory.migrations, rows, "R__views")


@pytest.mark.parametrize(
    ("to", "undone", "stays"),
    [
        (None, ["0002"], ()),
        ("0001", ["0002"], ()),
        ("zero", ["0002", "0001"], ("R__views",)),
    ],
)
def test_way_back_leaves_it_alone(
    directory: Directory, rows, to: str | None, undone: list[str], stays: tuple[str, ...]
) -> None:
    plan = plan_back(directory.migrations, rows, to)

    assert versions(plan) == undone
    assert plan.stays == stays
    assert plan.applied == {"0001", "0002", "R__views"}


def test_way_back_to_nothing_says_what_stays(directory: Directory, rows) -> None:
    document = plan_document(plan_back(directory.migrations, rows, "zero"), "shop")
    assert Paragraph("Repeatable migrations stay as they are: R__views.") in document.blocks


def test_way_back_goes_on_when_its_file_is_gone(directory: Directory, rows) -> None:
    left = tuple(each for each in directory.migrations if not each.repeatable)
    assert versions(plan_back(left, rows, "zero")) == ["0002", "0001"]


def test_it_is_never_called_edited(directory: Directory, rows) -> None:
    assert validate(directory, changed(rows)) == ()


def test_deleted_one_is_a_warning(directory: Directory, rows) -> None:
    left = replace(directory, migrations=tuple(m for m in directory.migrations if not m.repeatable))
    (finding,) = validate(left, rows)
    assert (finding.code, finding.severity) == ("history.deleted", Severity.WARNING)
    assert "R__views" in finding.message


def test_it_puts_no_version_out_of_order(directory: Directory, make_rows) -> None:
    assert out_of_order(directory, make_rows("0001", "R__views")) == frozenset()


def test_it_is_read_before_it_runs(write_directory, make_rows) -> None:
    found = write_directory({"0001_a.up.sql": "SELECT 1;", "R__views.sql": "SELEC 1;"})
    (finding,) = validate(found, make_rows("0001"))
    assert (finding.code, finding.version) == ("file.invalid", "R__views")


@pytest.mark.parametrize(
    ("ledger", "state", "title"),
    [
        ("none", State.PENDING, "shop: 0 applied, 3 pending"),
        ("same", State.APPLIED, "shop: 3 applied, 0 pending"),
        ("changed", State.CHANGED, "shop: 3 applied, 1 pending"),
    ],
)
def test_status_says_repeatable_and_whether_it_will_run(
    directory: Directory, rows, ledger: str, state: State, title: str
) -> None:
    known = {"none": (), "same": rows, "changed": changed(rows)}[ledger]

    entries = read_status(directory, known)
    document = status_document(entries, "shop")

    assert (entries[-1].version, entries[-1].state, entries[-1].repeatable) == (
        "R__views",
        state,
        True,
    )
    assert document.title == title
    (table,) = document.blocks
    assert isinstance(table, Table)
    assert table.rows[-1][-1] == "repeatable"


@pytest.mark.parametrize(("ledger", "why"), [("none", "new"), ("changed", "changed")])
def test_plan_says_why_it_runs(directory: Directory, rows, ledger: str, why: str) -> None:
    plan = plan_forward(directory.migrations, changed(rows) if ledger == "changed" else ())

    (table,) = plan_document(plan, "shop").blocks
    assert isinstance(table, Table)
    assert table.rows[-1][-1] == f"repeatable, {why}: 1 statement, one transaction"
    assert plan_json(plan)["steps"][-1]["repeatable"] is True
