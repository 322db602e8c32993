"""What people and programs read of plans, states and runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from confiture_flows.errors import ApplyError, GateError, PartialApplyError
from confiture_flows.migrations.discovery import Directory, discover
from confiture_flows.migrations.lifecycle import RunReport
from confiture_flows.migrations.plan import Direction, Plan, plan_back, plan_forward
from confiture_flows.migrations.report import (
    count,
    failure_document,
    plan_document,
    plan_json,
    rows_table,
    run_headline,
    run_json,
    status_document,
    status_json,
)
from confiture_flows.migrations.status import read_status
from confiture_flows.report.document import Code, Document, Facts, Paragraph, Table
from confiture_flows.report.json import plain

UP, DOWN = Direction.UP, Direction.DOWN
BROKEN = ApplyError(
    'relation "users" already exists. 0002_orders was rolled back.',
    version="0002",
    file=Path("m/0002_orders.up.sql"),
    line=3,
    statement=1,
    sqlstate="42P07",
    excerpt="CREATE TABLE users (id int)",
    next_step="Mend the statement, then run again.",
)


def table(document: Document) -> Table:
    (found,) = (block for block in document.blocks if isinstance(block, Table))
    return found


def text(document: Document) -> str:
    """All that is said in the document, a line a block."""
    lines: list[str] = [document.title]
    for block in document.blocks:
        match block:
            case Paragraph(said) | Code(said):
                lines.append(said)
            case Facts(pairs):
                lines += [f"{name}: {value}" for name, value in pairs]
            case Table(_, rows):
                lines += [" ".join(row) for row in rows]
    return "\n".join(lines)


@pytest.fixture
def pairs(oddities: Path) -> Directory:
    return discover(oddities / "pairs")


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 migrations"), (1, "1 migration"), (2, "2 migrations")]
)
def test_numbers_agree_with_their_noun(number: int, said: str) -> None:
    assert count(number) == said


def test_plan_says_how_each_migration_runs(pairs: Directory) -> None:
    document = plan_document(plan_forward(pairs.migrations, ()), "shop")

    assert document.title == "shop: 3 migrations to apply"
    assert table(document).rows == (
        ("0001", "users", "1 statement, one transaction"),
        ("0002", "orders", "2 statements, one transaction"),
        ("0003", "index_email", "1 statement, 1 step (CREATE INDEX CONCURRENTLY)"),
    )


def test_plan_of_the_way_back_reads_the_down_scripts(pairs: Directory, make_rows) -> None:
    plan = plan_back(pairs.migrations, make_rows("0001", "0002"))

    assert plan_document(plan, "shop").title == "shop: 1 migration to roll back"
    value = json.loads(json.dumps(plan_json(plan), default=plain))
    assert value == {
        "direction": "down",
        "to": None,
        "stays": [],
        "steps": [
            {
                "version": "0002",
                "name": "orders",
                "file": str(pairs.path / "0002_orders.down.sql"),
                "repeatable": False,
                "title": None,
                "language": "SQL",
                "runs_as": "1 statement, one transaction",
            }
        ],
    }


@pytest.mark.parametrize(
    ("direction", "title"), [(UP, "shop: nothing to apply"), (DOWN, "shop: nothing to roll back")]
)
def test_empty_plan_says_so(direction: Direction, title: str) -> None:
    assert plan_document(Plan(direction, ()), "shop") == Document(title)


def test_status_counts_and_lists(pairs: Directory, make_rows) -> None:
    entries = read_status(pairs, make_rows("0001", "0003"))

    document = status_document(entries, "shop")

    assert document.title == "shop: 2 applied, 1 pending"
    assert table(document).rows == (
        ("0001", "users", "applied", "2026-11-23 12:00:00", "yes"),
        ("0002", "orders", "out of order", "", "yes"),
        ("0003", "index_email", "applied", "2026-11-23 13:00:00", "no"),
    )
    value = json.loads(json.dumps(status_json(entries), default=plain))
    assert value["migrations"][0] == {
        "version": "0001",
        "name": "users",
        "state": "applied",
        "applied_at": "2026-11-23T12:00:00+00:00",
        "reversible": True,
        "repeatable": False,
        "title": None,
        "language": "SQL",
    }
    assert value["migrations"][1]["applied_at"] is None


@pytest.fixture
def report(pairs: Directory) -> RunReport:
    """Three planned, none done yet, 1.26 s."""
    return RunReport("shop", UP, plan_forward(pairs.migrations, ()), elapsed=1.26)


def test_headline_says_what_was_done(report: RunReport, make_rows) -> None:
    done = make_rows("0001", "0002")

    assert run_headline(replace(report, done=done)) == "shop: 2 migrations applied in 1.3 s"
    assert run_headline(replace(report, done=())) == "shop: nothing to apply"
    assert run_headline(replace(report, direction=DOWN)) == "shop: nothing to roll back"
    assert (
        run_headline(replace(report, direction=DOWN, done=done[:1]))
        == "shop: 1 migration rolled back in 1.3 s"
    )


@pytest.mark.parametrize(
    ("done", "headline"),
    [
        ((), "shop: failed at 0002; nothing was applied"),
        (("0001",), "shop: failed at 0002; 1 migration applied before it"),
        (None, "shop: failed; what was applied could not be asked"),
    ],
)
def test_headline_of_a_failure_says_what_stays(
    report: RunReport, make_rows, done: tuple[str, ...] | None, headline: str
) -> None:
    rows = None if done is None else make_rows(*done)
    assert run_headline(replace(report, done=rows, error=BROKEN)) == headline


def test_headline_of_a_failure_of_no_migration_names_none(report: RunReport) -> None:
    headline = run_headline(replace(report, error=ApplyError("It failed.")))
    assert headline == "shop: failed; nothing was applied"


def test_failure_says_what_where_and_what_next(report: RunReport, make_rows) -> None:
    said = text(failure_document(replace(report, done=make_rows("0001"), error=BROKEN)))

    assert said.splitlines() == [
        "shop: failed at 0002; 1 migration applied before it",
        'relation "users" already exists. 0002_orders was rolled back.',
        "Migration: 0002",
        "File: m/0002_orders.up.sql:3",
        "Statement: 1",
        "SQLSTATE: 42P07",
        "CREATE TABLE users (id int)",
        "What to do next: Mend the statement, then run again.",
        "These were applied before it and stay applied:",
        "0001 step_0001 7 ms",
        "Still to do: 0002, 0003.",
    ]


def test_failure_of_the_first_step_says_that_nothing_has_changed(report: RunReport) -> None:
    said = text(failure_document(replace(report, error=BROKEN)))

    assert "No migration was applied; the database is as it was before." in said
    assert "Still to do: 0001, 0002, 0003." in said


def test_unknown_outcome_claims_nothing(report: RunReport) -> None:
    said = text(failure_document(replace(report, done=None, error=KeyboardInterrupt())))

    assert "The ledger could not be asked what this run committed." in said
    assert "as it was before" not in said
    assert "Still to do" not in said


def test_failure_without_a_plan_says_nothing_about_the_database(report: RunReport) -> None:
    said = text(failure_document(replace(report, plan=None, error=BROKEN)))
    assert "as it was before" not in said


def test_error_that_is_not_ours_is_told_by_its_type(report: RunReport) -> None:
    said = text(failure_document(replace(report, error=RuntimeError("bug"))))
    assert "RuntimeError: bug" in said


def test_failure_half_way_does_not_claim_that_nothing_has_changed(report: RunReport) -> None:
    half = PartialApplyError("0001 stopped half way: its first 2 statement(s) are committed.")

    said = text(failure_document(replace(report, error=half)))

    assert "as it was before" not in said


@pytest.mark.parametrize(
    ("milliseconds", "took"),
    [(None, ""), (0, "0 ms"), (9999, "9999 ms"), (10_000, "10.0 s"), (83_450, "83.5 s")],
)
def test_time_is_said_in_a_unit_that_fits(make_rows, milliseconds: int | None, took: str) -> None:
    (row,) = make_rows("1")
    rows = (replace(row, execution_time_ms=milliseconds),)
    assert rows_table(rows).rows == (("1", "step_1", took),)


def test_run_is_told_to_programs(report: RunReport, make_rows) -> None:
    assert run_json(replace(report, done=make_rows("0001"))) == {
        "direction": "up",
        "planned": ["0001", "0002", "0003"],
        "done": [{"version": "0001", "name": "step_0001", "milliseconds": 7}],
        "taken_back": [],
        "elapsed_seconds": 1.26,
    }
    nothing = run_json(replace(report, plan=None, done=None))
    assert (nothing["planned"], nothing["done"]) == (None, None)


def test_failed_verification_is_not_called_a_failed_migration(report: RunReport, make_rows) -> None:
    done = make_rows("0001", "0002", "0003")
    error = GateError("0002_orders does not verify: the check gives 0.", version="0002")

    said = text(failure_document(replace(report, done=done, error=error))).splitlines()

    assert said[0] == "shop: 3 migrations applied, but verification failed"
    assert "These were applied and stay applied:" in said
    assert not any("before it" in line or "Still to do" in line for line in said)


def test_gate_before_anything_is_applied_is_no_failed_verification(report: RunReport) -> None:
    error = GateError("0001_users: It does not parse.", version="0001")

    assert run_headline(replace(report, error=error)) == (
        "shop: failed at 0001; nothing was applied"
    )
