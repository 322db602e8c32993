"""A script is read when it is needed; its marker, its layout and its directory say how it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from confiture_flows.errors import MigrationFileError
from confiture_flows.migrations.migration import Migration, Script
from confiture_flows.sql.script import TransactionMode

AUTO, NONE, AS_WRITTEN = TransactionMode.AUTO, TransactionMode.NONE, TransactionMode.AS_WRITTEN


def shape(script: Script) -> list[tuple[int, bool]]:
    """Each batch as the number of its statements, and whether it is a transaction."""
    return [(len(batch.statements), batch.transactional) for batch in script.batches()]


def write(folder: Path, text: str) -> Path:
    path = folder / "0001_a.up.sql"
    path.write_text(text)
    return path


TWO = "SELECT 1;\nSELECT 2;\n"
COMMITTED = "SELECT 1;\nCOMMIT;\nSELECT 2;\n"


@pytest.mark.parametrize(
    ("text", "transaction", "as_written", "expected"),
    [
        pytest.param(TWO, AUTO, False, [(2, True)], id="auto"),
        pytest.param(TWO, NONE, False, [(1, False), (1, False)], id="layout_says_none"),
        pytest.param(
            "-- confiture: transaction=none\n" + TWO,
            AUTO,
            False,
            [(1, False), (1, False)],
            id="marker_says_none",
        ),
        pytest.param(
            "-- confiture: transaction=auto\n" + TWO, NONE, False, [(2, True)], id="marker_wins"
        ),
        pytest.param(
            "-- confiture: transaction=as-written\n" + COMMITTED,
            AUTO,
            False,
            [(1, True), (1, True)],
            id="marker_says_as_written",
        ),
        pytest.param(COMMITTED, AUTO, True, [(1, True), (1, True)], id="directory_as_written"),
        pytest.param(
            TWO, NONE, True, [(1, False), (1, False)], id="layout_says_none_without_own_control"
        ),
        pytest.param(COMMITTED, NONE, True, [(1, True), (1, True)], id="own_control_wins"),
    ],
)
def test_marker_layout_and_directory_say_how_a_script_runs(
    tmp_path: Path,
    text: str,
    transaction: TransactionMode,
    as_written: bool,
    expected: list[tuple[int, bool]],
) -> None:
    script = Script(write(tmp_path, text), transaction=transaction, as_written=as_written)
    assert shape(script) == expected


def test_section_is_read_by_lines_and_errors_keep_the_lines_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "-- up\nSELECT 1;\n-- down\nSELECT -1;\nSELEC 2;\n")

    assert Script(path, (1, 2)).text() == "-- up\nSELECT 1;"
    with pytest.raises(MigrationFileError) as caught:
        Script(path, (3, 5)).batches()
    assert caught.value.line == 5


def test_script_is_read_anew_each_time(tmp_path: Path) -> None:
    path = write(tmp_path, TWO)
    script = Script(path)
    assert shape(script) == [(2, True)]

    path.write_text("SELECT 3;")
    assert shape(script) == [(1, True)]


@pytest.mark.parametrize(
    ("version", "name", "label"),
    [("1", "users", "1_users"), ("1", "", "1"), ("1_users", "1_users", "1_users")],
)
def test_label_says_version_and_name_once(version: str, name: str, label: str) -> None:
    assert Migration(version, name, Script(Path("x.sql")), "sum").label == label
