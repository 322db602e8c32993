"""When ${name} is a placeholder, and what the checksum of a migration is about."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from confiture_flows.migrations.discovery import Directory, discover
from confiture_flows.migrations.texts import Texts
from confiture_flows.migrations.validate import validate
from confiture_flows.report.finding import Severity

VIEWS = "-- confiture: include views/a.sql\n-- confiture: include views/b.sql\n"


def sqls(directory: Directory) -> list[str]:
    return [
        statement.sql
        for migration in directory.migrations
        for batch in migration.up.batches()
        for statement in batch.statements
    ]


@pytest.fixture
def folder(write: Callable[..., Path]) -> Callable[..., Path]:
    return write


@pytest.mark.parametrize(
    ("texts", "variable", "expected"),
    [
        (Texts(), None, "SELECT '${x}'"),
        (Texts({"x": "1"}), None, "SELECT '1'"),
        (Texts(), "2", "SELECT '2'"),
        (Texts({"x": "1"}), "2", "SELECT '2'"),
        (Texts({"x": "1"}, replaced=False), "2", "SELECT '${x}'"),
    ],
    ids=["nothing_given", "project", "environment", "environment_wins", "switched_off"],
)
def test_project_without_values_keeps_its_texts(
    folder: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    texts: Texts,
    variable: str | None,
    expected: str,
) -> None:
    if variable:
        monkeypatch.setenv("CONFITURE_PLACEHOLDER_X", variable)
    directory = folder({"0001_a.up.sql": "SELECT '${x}';"})
    assert sqls(discover(directory, texts=texts)) == [expected]


@pytest.mark.parametrize(
    ("name", "texts", "missing"),
    [
        ("V1__a.sql", Texts(), True),
        ("V1__a.sql", Texts(replaced=False), False),
        ("0001_a.up.sql", Texts(replaced=True), True),
        ("0001_a.up.sql", Texts(), False),
    ],
)
def test_missing_value_stops_the_run_where_there_are_placeholders(
    folder: Callable[..., Path], name: str, texts: Texts, missing: bool
) -> None:
    directory = discover(folder({name: "SELECT 1;\nSELECT '${x}';"}), texts=texts)

    findings = [(f.severity, f.location.line if f.location else 0) for f in validate(directory, ())]
    assert findings == ([(Severity.ERROR, 2)] if missing else [])


def test_verify_and_down_scripts_have_placeholders_too(folder: Callable[..., Path]) -> None:
    names = ("0001_a.up.sql", "0001_a.down.sql", "0001_a.verify.sql")
    directory = discover(folder(dict.fromkeys(names, "SELECT ${x};")), texts=Texts({"x": "7"}))
    (migration,) = directory.migrations
    for script in (migration.up, migration.down, migration.verify):
        assert script is not None
        assert script.batches()[0].statements[0].sql == "SELECT 7"


def test_values_of_a_directory_are_not_in_its_representation(folder: Callable[..., Path]) -> None:
    directory = discover(folder({"0001_a.up.sql": ""}), texts=Texts({"x": "hunter2"}))
    assert "hunter2" not in repr((directory, Texts({"x": "hunter2"})))


def test_checksum_of_a_version_is_that_of_its_file_whatever_the_values(
    folder: Callable[..., Path],
) -> None:
    text = "SELECT '${x}';"
    directory = folder({"0001_a.up.sql": text})
    for texts in (Texts(), Texts({"x": "1"}), Texts({"x": "2"})):
        (migration,) = discover(directory, texts=texts).migrations
        assert migration.checksum == hashlib.sha256(text.encode()).hexdigest()


def test_new_value_makes_a_repeatable_run_again(folder: Callable[..., Path]) -> None:
    directory = folder({"0001_a.up.sql": "", "R__v.sql": "SELECT '${x}';", "R__w.sql": "SELECT 1;"})
    first, second = (discover(directory, texts=Texts({"x": x})).migrations for x in "12")

    assert first[1].checksum != second[1].checksum
    assert first[2].checksum == second[2].checksum == hashlib.sha256(b"SELECT 1;").hexdigest()


@pytest.mark.parametrize("name", ["0001_views.up.sql", "R__views.sql"])
def test_changed_include_changes_the_checksum(folder: Callable[..., Path], name: str) -> None:
    files = {name: VIEWS, "views/a.sql": "SELECT 1;", "views/b.sql": "SELECT 2;"}
    (before,) = discover(folder(files), layout="pairs").migrations
    (after,) = discover(folder({"views/b.sql": "SELECT 3;"}), layout="pairs").migrations

    joined = f"{VIEWS}SELECT 1;SELECT 2;"  # cat FILE a.sql b.sql | sha256sum
    assert before.checksum == hashlib.sha256(joined.encode()).hexdigest()
    assert after.checksum != before.checksum


def test_checksum_finds_an_include_wherever_a_chunk_ends(folder: Callable[..., Path]) -> None:
    line = b"-- confiture: include a.sql\n"
    for before in ((1 << 20) - 8, (1 << 20) - 17):
        text = b"-" * (before - 1) + b"\n" + line
        folder({"0001_a.up.sql": text, "a.sql": b"SELECT 1;"})
        (migration,) = discover(folder({})).migrations
        assert migration.checksum == hashlib.sha256(text + b"SELECT 1;").hexdigest()


def test_edited_include_of_an_applied_version_is_an_edit(
    folder: Callable[..., Path], make_rows
) -> None:
    files = {"0001_views.up.sql": VIEWS, "views/a.sql": "SELECT 1;", "views/b.sql": "SELECT 2;"}
    (migration,) = discover(folder(files)).migrations
    rows = (replace(make_rows("0001")[0], checksum=migration.checksum),)

    (finding,) = validate(discover(folder({"views/b.sql": "SELECT 3;"})), rows)
    assert (finding.code, finding.severity) == ("history.edited", Severity.ERROR)
    assert "0001_views, or what it includes (a.sql, b.sql), was edited" in finding.message


def test_lost_include_of_an_applied_version_is_an_edit(
    folder: Callable[..., Path], make_rows
) -> None:
    files = {"0001_views.up.sql": VIEWS, "views/a.sql": "SELECT 1;", "views/b.sql": "SELECT 2;"}
    directory = folder(files)
    (migration,) = discover(directory).migrations
    rows = (replace(make_rows("0001")[0], checksum=migration.checksum),)
    (directory / "views" / "b.sql").unlink()

    (finding,) = validate(discover(directory), rows)
    assert finding.code == "history.edited"
    assert "There is no file views/b.sql to include" in finding.message
    assert finding.location is not None
    assert finding.location.line == 2


@pytest.mark.parametrize("name", ["0001_views.up.sql", "R__views.sql"])
def test_missing_include_of_what_is_pending_is_one_error(
    folder: Callable[..., Path], name: str
) -> None:
    (finding,) = validate(discover(folder({name: VIEWS})), ())
    assert (finding.code, finding.severity) == ("file.invalid", Severity.ERROR)


def test_example_of_a_directory_with_an_include(oddities: Path) -> None:
    assert sqls(discover(oddities / "pairs_including")) == ["SELECT 1", "SELECT 2"]
