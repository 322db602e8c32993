"""Placeholders and includes on a real server: the right file and line, and no value shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from confiture_flows.errors import ApplyError, ConfitureFlowsError, MigrationFileError
from confiture_flows.migrations.lifecycle import Request, RunReport, run_lifecycle
from confiture_flows.migrations.observer import Observer
from confiture_flows.migrations.plain import PlainStages
from confiture_flows.migrations.plan import Direction
from confiture_flows.migrations.report import failure_document
from confiture_flows.report.finding import Severity
from confiture_flows.report.markdown import render_markdown
from confiture_flows.target import Target, connect

SECRET = "hunter2 of\nmany parts"
VALUES = {"secret": SECRET, "schema": "app", "number": "7"}
Write = Callable[..., Path]


class Runs:
    """Runs lifecycles on a target that has values."""

    def __init__(self, target: Target) -> None:
        self.target = replace(target, placeholders=VALUES)
        self.reports: list[RunReport] = []

    def __call__(self, directory: Path, direction: Direction = Direction.UP) -> RunReport:
        with connect(self.target, "test") as conn:
            request = Request(directory, root=directory.parent)
            stages = PlainStages(conn, self.target, request, Observer(), self.reports.append)
            return run_lifecycle(stages, target="test", direction=direction, gate=Severity.ERROR)

    def fail(self, directory: Path, direction: Direction = Direction.UP) -> ConfitureFlowsError:
        with pytest.raises(ConfitureFlowsError) as caught:
            self(directory, direction)
        return caught.value


@pytest.fixture
def run(target: Target) -> Runs:
    return Runs(target)


def test_values_reach_the_server(run: Runs, write: Write, conn: psycopg.Connection) -> None:
    text = "CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.t AS SELECT '${secret}' AS x;"
    run(write({"0001_a.up.sql": text}))
    assert conn.execute("SELECT x FROM app.t").fetchone() == (SECRET,)


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("SELECT 1,\n '${secret}',\n nope;", 5),
        ("SELECT '${secret}'::int;", 3),
        ("DO $$ BEGIN RAISE EXCEPTION 'about %', '${secret}'; END $$;", 3),
        ('SELECT 1 AS x,\n "${secret}";', 4),
        ("SELECT 1/0, '${secret}';", 3),
        (
            "CREATE TABLE t (x text);\nCOPY t FROM stdin;\n${secret}\n1\ttoo many\n\\.\n",
            6,
        ),
    ],
    ids=["column", "cast", "raised", "name", "division", "copy"],
)
def test_error_shows_the_files_line_and_no_value(
    run: Runs, write: Write, statement: str, line: int
) -> None:
    directory = write({"0001_a.up.sql": f"SELECT '${{secret}}',\n '${{secret}}';\n{statement}"})
    error = run.fail(directory)

    assert isinstance(error, ApplyError)
    assert error.line == line
    assert error.__cause__ is None
    shown = render_markdown(failure_document(run.reports[-1])) + str(error) + repr(error.__dict__)
    for part in ("hunter2", "many parts"):
        assert part not in shown


def test_failing_check_shows_no_value(run: Runs, write: Write) -> None:
    directory = write(
        {
            "0001_a.up.sql": "SELECT 1;",
            "0001_a.verify.sql": "SELECT NULLIF('${secret}', '${secret}');"
            "\nSELECT '${secret}'::int;",
        }
    )
    assert "hunter2" not in str(run.fail(directory))
    assert "hunter2" not in str(run.reports[-1].findings)


def test_value_at_commit_is_not_shown(run: Runs, write: Write) -> None:
    text = """
    CREATE TABLE t (x text);
    CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'no %', NEW.x; END $$;
    CREATE CONSTRAINT TRIGGER c AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION f();
    INSERT INTO t VALUES ('${secret}');
    """
    error = run.fail(write({"0001_a.up.sql": text}))
    assert "no ${secret}" in error.message
    assert "hunter2" not in str(error)


def test_error_in_an_included_file_names_it(run: Runs, write: Write) -> None:
    directory = write(
        {
            "0001_a.up.sql": "SELECT 1;\n-- confiture: include ../parts/a.sql\n",
            "../parts/a.sql": "-- a\nSELECT '${secret}';\nSELECT\n 1/0;",
        }
    )
    error = run.fail(directory)
    assert error.file is not None
    assert (error.file.name, error.line, error.statement) == ("a.sql", 3, 3)


def test_include_forms_one_transaction_with_what_is_around_it(
    run: Runs, write: Write, conn: psycopg.Connection
) -> None:
    directory = write(
        {
            "0001_a.up.sql": "-- confiture: include ../parts/a.sql\nSELECT 1/0;",
            "../parts/a.sql": "CREATE TABLE t (id int);",
        }
    )
    run.fail(directory)
    assert conn.execute("SELECT to_regclass('t')").fetchone() == (None,)


def test_missing_value_of_a_later_file_is_refused_before_anything_runs(
    run: Runs, write: Write, conn: psycopg.Connection
) -> None:
    directory = write(
        {"0001_a.up.sql": "CREATE TABLE t (id int);", "0002_b.up.sql": "SELECT ${missing};"}
    )
    error = run.fail(directory)
    assert (error.version, error.line) == ("0002", 1)
    assert conn.execute("SELECT to_regclass('t')").fetchone() == (None,)


def test_missing_value_of_the_way_back_is_refused_before_anything_is_undone(
    run: Runs, write: Write, conn: psycopg.Connection
) -> None:
    directory = write(
        {
            "0001_a.up.sql": "CREATE TABLE t (id int);",
            "0001_a.down.sql": "DROP TABLE t; SELECT ${missing};",
        }
    )
    run(directory)
    error = run.fail(directory, Direction.DOWN)
    assert isinstance(error, MigrationFileError)
    assert conn.execute("SELECT to_regclass('t')::text").fetchone() == ("t",)
