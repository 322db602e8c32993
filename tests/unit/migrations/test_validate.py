"""Where ledger and directory disagree, how much that matters, and what the gate makes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from confiture_flows.config import OutOfOrder
from confiture_flows.errors import GateError, HistoryError
from confiture_flows.migrations.discovery import Directory
from confiture_flows.migrations.plan import Direction
from confiture_flows.migrations.validate import pending, stop_at_gate, validate
from confiture_flows.report.finding import Finding, Location, Severity

UP, DOWN = Direction.UP, Direction.DOWN
INFO, WARNING, ERROR = Severity.INFO, Severity.WARNING, Severity.ERROR


@pytest.fixture
def directory(write_directory) -> Directory:
    """Three pairs."""
    return write_directory(
        {f"{version}_step.up.sql": f"SELECT {version};" for version in ("1", "2", "3")}
    )


def brief(findings: tuple[Finding, ...]) -> list[tuple[str, Severity, str | None]]:
    return [(finding.code, finding.severity, finding.version) for finding in findings]


@pytest.mark.parametrize("production", [False, True])
@pytest.mark.parametrize("applied", [(), ("1",), ("1", "2", "3")])
def test_history_in_order_has_no_findings(
    directory: Directory, make_rows, applied: tuple[str, ...], production: bool
) -> None:
    assert validate(directory, make_rows(*applied), production=production) == ()


def test_pending_file_without_a_statement_is_told_of(write_directory, make_rows) -> None:
    found = write_directory(
        {
            "1_a.up.sql": "-- to do\n",
            "2_b.up.sql": "SELECT 1;",
            "2_b.down.sql": "",
            "3_c.up.sql": "",
        }
    )

    assert brief(validate(found, make_rows())) == [
        ("file.empty", INFO, "1"),
        ("file.empty", INFO, "3"),
    ]
    assert validate(found, make_rows("1", "2", "3")) == ()


@pytest.mark.parametrize("direction", [UP, DOWN])
def test_deleted_files_are_one_error_that_names_them(
    directory: Directory, make_rows, direction: Direction
) -> None:
    findings = validate(directory, make_rows("0", "1", "1b"), direction=direction)

    assert brief(findings) == [("history.deleted", ERROR, "0")]
    assert findings[0].message == "Migrations applied but not on disk: 0, 1b."
    assert str(directory.path) in (findings[0].next_step or "")


def test_file_that_was_squashed_away_is_not_missed(directory: Directory, make_rows) -> None:
    assert validate(directory, make_rows("0", "1", archived=("0",))) == ()


@pytest.mark.parametrize(("direction", "severity"), [(UP, ERROR), (DOWN, WARNING)])
def test_edited_file_is_an_error_and_weighs_less_on_the_way_back(
    directory: Directory, make_rows, direction: Direction, severity: Severity
) -> None:
    rows = tuple(replace(row, checksum="another") for row in make_rows("1"))

    (finding,) = validate(directory, rows, direction=direction)

    assert (finding.code, finding.severity) == ("history.edited", severity)
    assert finding.message == "1_step was edited after it was applied (2026-11-23 12:00)."
    assert finding.location == Location(directory.path / "1_step.up.sql")


def test_edit_is_told_by_the_checksum_alone(directory: Directory, make_rows) -> None:
    same = {migration.version: migration.checksum for migration in directory.migrations}
    rows = tuple(replace(row, checksum=same[row.version]) for row in make_rows("1", "2"))
    assert validate(directory, rows) == ()

    (directory.path / "2_step.up.sql").write_text("SELECT 2;\n")
    assert validate(directory, rows) == ()  # a value: the directory as it was read


def test_row_without_a_checksum_is_not_an_edit(directory: Directory, make_rows) -> None:
    (row,) = make_rows("1")
    assert row.checksum is None
    assert validate(directory, (row,)) == ()


@pytest.mark.parametrize(("production", "severity"), [(False, WARNING), (True, ERROR)])
def test_migration_out_of_order_is_an_error_in_production_only(
    directory: Directory, make_rows, production: bool, severity: Severity
) -> None:
    findings = validate(directory, make_rows("3"), production=production)

    assert brief(findings) == [
        ("history.out_of_order", severity, "1"),
        ("history.out_of_order", severity, "2"),
    ]


@pytest.mark.parametrize("production", [False, True])
@pytest.mark.parametrize(("policy", "severity"), [("refuse", ERROR), ("apply", INFO)])
def test_policy_for_what_is_out_of_order_wins(
    directory: Directory, make_rows, production: bool, policy: OutOfOrder, severity: Severity
) -> None:
    findings = validate(directory, make_rows("3"), production=production, out_of_order=policy)
    assert {finding.severity for finding in findings} == {severity}


def test_way_back_does_not_ask_for_order(directory: Directory, make_rows) -> None:
    assert validate(directory, make_rows("3"), direction=DOWN, production=True) == ()


def test_deleted_later_migration_puts_nothing_out_of_order(directory: Directory, make_rows) -> None:
    assert "history.out_of_order" not in {f.code for f in validate(directory, make_rows("9"))}


def test_pending_file_that_cannot_run_is_found_with_its_line(write_directory, make_rows) -> None:
    directory = write_directory(
        {
            "1_applied.up.sql": "SELEC 1;",
            "2_broken.up.sql": "SELECT 2;\n\nSELEC 2;",
            "2_broken.down.sql": "SELEC -2;",
            "3_psql.up.sql": "\\connect shop",
            "4_bytes.up.sql": b"SELECT 4;\n-- \xe9",
        }
    )

    findings = validate(directory, make_rows("1"))

    assert [(f.severity, f.version, str(f.location)) for f in findings] == [
        (ERROR, "2", f"{directory.path}/2_broken.up.sql:3"),
        (ERROR, "3", f"{directory.path}/3_psql.up.sql:1"),
        (ERROR, "4", f"{directory.path}/4_bytes.up.sql:2"),
        (WARNING, "2", f"{directory.path}/2_broken.down.sql:1"),
    ]
    assert {finding.code for finding in findings} == {"file.invalid"}
    assert findings[0].message.startswith("2_broken: PostgreSQL's parser refuses the file")


def test_stray_commit_is_found_before_anything_runs(write_directory) -> None:
    text = {"1_a.up.sql": "SELECT 1;\nCOMMIT;\nSELECT 2;"}

    (finding,) = validate(write_directory(text), ())
    assert (finding.code, str(finding.location)[-2:]) == ("file.invalid", ":2")

    assert validate(write_directory(text, as_written=True), ()) == ()


def test_findings_of_the_directory_are_passed_on_and_the_worst_comes_first(
    write_directory, make_rows
) -> None:
    directory = write_directory({"1_a.up.sql": "SELECT 1;", "notes.sql": "SELECT 0;"})

    assert brief(validate(directory, make_rows("0", "1"))) == [
        ("history.deleted", ERROR, "0"),
        ("file.misnamed", WARNING, None),
    ]


def test_pending_is_what_the_ledger_does_not_have(directory: Directory, make_rows) -> None:
    assert [m.version for m in pending(directory, make_rows("2", "9"))] == ["1", "3"]


HISTORY = Finding("history.edited", ERROR, "Edited.", "Undo it.", "1", Location(Path("1.sql"), 3))
INVALID = Finding("file.invalid", ERROR, "Broken.")
NOTE = Finding("file.misnamed", WARNING, "Misnamed.")


@pytest.mark.parametrize(
    ("findings", "gate"), [((), INFO), ((NOTE,), ERROR), ((NOTE, NOTE), ERROR)]
)
def test_findings_below_the_gate_do_not_stop_a_run(
    findings: tuple[Finding, ...], gate: Severity
) -> None:
    stop_at_gate(findings, gate)


@pytest.mark.parametrize(
    ("findings", "gate", "kind", "message"),
    [
        ((NOTE,), WARNING, GateError, "Misnamed."),
        ((INVALID,), ERROR, GateError, "Broken."),
        ((INVALID, NOTE), WARNING, GateError, "Broken. (1 more like it.)"),
        ((HISTORY,), ERROR, HistoryError, "Edited."),
        ((INVALID, HISTORY, NOTE), WARNING, HistoryError, "Edited. (2 more like it.)"),
    ],
)
def test_finding_at_the_gate_stops_and_history_speaks_first(
    findings: tuple[Finding, ...], gate: Severity, kind: type[GateError], message: str
) -> None:
    with pytest.raises(GateError) as caught:
        stop_at_gate(findings, gate)

    assert type(caught.value) is kind
    assert caught.value.message == message


def test_error_at_the_gate_says_where_and_what_to_do() -> None:
    with pytest.raises(HistoryError) as caught:
        stop_at_gate((HISTORY,), ERROR)

    error = caught.value
    assert (error.next_step, error.version, error.file, error.line) == (
        "Undo it.",
        "1",
        Path("1.sql"),
        3,
    )
