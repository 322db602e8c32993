"""Python migrations as validation sees them: nothing of them runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from confiture_flows.migrations.checksum import file_checksum
from confiture_flows.migrations.discovery import Directory
from confiture_flows.migrations.plan import plan_forward
from confiture_flows.migrations.report import plan_json, status_document
from confiture_flows.migrations.status import read_status
from confiture_flows.migrations.validate import validate
from confiture_flows.report.document import Table

WriteDirectory = Callable[..., Directory]


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("def up(conn:\n    pass\n", "not valid Python", 1),
        ("x = 1\n", "neither a function up(conn) nor a Migration class", None),
        ("x = 1\n\nasync def up(conn): ...\n", "up() is `async def`", 3),
        ("def up(): ...\n", "up() has to take one argument", 1),
        ("def up(conn, other): ...\n", "up() has to take one argument", 1),
        ("def up(conn, *, other): ...\n", "up() has to take one argument", 1),
        ("def up(conn): ...\ndef down(): ...\n", "down() has to take one argument", 2),
        ("def up(conn):\n    yield 1\n", "has a `yield`", 1),
        ("import os\nimport nobody_has_this\ndef up(conn): ...\n", "'nobody_has_this'", 2),
        ("from . import other\ndef up(conn): ...\n", "its own folder", 1),
        ("transactional = bool(0)\ndef up(conn): ...\n", "True or False", 1),
        ("\0", "not valid Python", None),
    ],
)
def test_module_that_cannot_run_is_a_finding(
    write_directory: WriteDirectory, text: str, said: str, line: int | None
) -> None:
    directory = write_directory({"0001_a.py": text, "0002_b.up.sql": "SELECT 1;"})
    (finding,) = validate(directory, ())
    assert (finding.code, finding.version) == ("file.invalid", "0001")
    assert said in finding.message
    assert finding.location
    assert (finding.location.file.name, finding.location.line) == ("0001_a.py", line)


@pytest.mark.parametrize(
    "text",
    [
        "def up(conn): ...\n",
        "def up(conn, batch=10): ...\n",
        "def up(*connections): ...\n",
        "import functools\n@functools.cache\ndef up(): ...\n",
        "def up(conn):\n    def rows():\n        yield 1\n",
        "raise SystemExit('never run')\ndef up(conn): ...\n",
    ],
)
def test_module_that_can_run_is_not_run(write_directory: WriteDirectory, text: str) -> None:
    assert validate(write_directory({"0001_a.py": text}), ()) == ()


def test_what_python_migrations_are_is_shown(write_directory: WriteDirectory) -> None:
    directory = write_directory(
        {
            "0001_a.py": '"""Fill in the names.\n\nMore."""\ndef up(c): ...\ndef down(c): ...\n',
            "0002_b.py": "transactional = False\ndef up(conn): ...\n",
            "0003_c.up.sql": "SELECT 1;",
            "conftest.py": "",
            "helpers.py": "",
        }
    )
    assert directory.findings == ()
    first, second, _third = directory.migrations
    assert (first.down is not None, second.down) == (True, None)
    assert first.checksum == file_checksum(first.up.path)
    steps = plan_json(plan_forward(directory.migrations, ()))["steps"]
    assert [each["runs_as"] for each in steps] == [
        "Python, one transaction",
        "Python, no transaction",
        "1 statement, one transaction",
    ]
    assert [each["language"] for each in steps] == ["Python", "Python", "SQL"]
    (table,) = status_document(read_status(directory, ()), "shop").blocks
    assert isinstance(table, Table)
    names = [row[1] for row in table.rows]
    assert names == ["Fill in the names. (Python)", "b (Python)", "c"]


def test_down_script_in_sql_belongs_to_the_python_migration(
    write_directory: WriteDirectory,
) -> None:
    directory = write_directory(
        {"0001_a.py": "def up(conn): ...\n", "0001_a.down.sql": "SELECT 1;"}
    )
    (migration,) = directory.migrations
    assert migration.down is not None
    assert migration.down.path.name == "0001_a.down.sql"


def test_two_ways_back_are_a_finding(write_directory: WriteDirectory) -> None:
    text = "def up(conn): ...\ndef down(conn): ...\n"
    directory = write_directory({"0001_a.py": text, "0001_a.down.sql": "SELECT 1;"})
    assert [each.code for each in directory.findings] == ["file.without_up"]


def test_python_and_sql_of_one_version_are_duplicates(write_directory: WriteDirectory) -> None:
    files = {"0001_a.py": "def up(conn): ...\n", "0001_a.up.sql": "SELECT 1;"}
    assert [each.code for each in write_directory(files).findings] == ["history.duplicate"]


def test_programs_of_other_kinds_are_no_layout(tmp_path: Path) -> None:
    from confiture_flows.errors import ConfigError
    from confiture_flows.migrations.discovery import discover

    (tmp_path / "0001_initial.py").write_text(
        "from django.db import migrations\n\n\nclass Migration(migrations.Migration): ...\n"
    )
    with pytest.raises(ConfigError):
        discover(tmp_path)
