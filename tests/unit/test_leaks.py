"""The search for secrets finds them: in tables, in files, and however they are written."""

from __future__ import annotations

import base64
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from tests import leaks


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> str:
    """A secret of this test alone."""
    monkeypatch.setattr(leaks, "known", set())
    return leaks.secret('plant3d "in a/test"')


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "prefect.db")) as conn:
        conn.execute("PRAGMA journal_mode = wal")
        conn.execute("CREATE TABLE log (id int, message text)")
        conn.execute("CREATE TABLE artifact (data json, description text)")
        conn.execute("INSERT INTO log VALUES (1, 'nothing')")
        conn.commit()
    (tmp_path / "server.log").write_text("started\n")
    return tmp_path


def test_nothing_is_found_where_nothing_is(planted: str, home: Path) -> None:
    assert leaks.leaks_in_folder(home) == []
    assert leaks.leaks_in_text("nothing") == []


@pytest.mark.parametrize("shift", [0, 1, 2])
def test_a_secret_is_found_with_its_column(planted: str, home: Path, shift: int) -> None:
    hidden = base64.b64encode(b"-" * shift + planted.encode() + b"-").decode()
    with closing(sqlite3.connect(home / "prefect.db")) as conn:
        conn.execute("INSERT INTO log VALUES (2, ?)", (f"password={planted} host=x",))
        conn.execute("INSERT INTO artifact VALUES (?, ?)", (json.dumps({"x": [planted]}), hidden))
        conn.commit()
        # While the server runs, much of it is in the write-ahead log only.
        found = leaks.leaks_in_folder(home)
    assert "the file prefect.db-wal" in found
    columns = ("log.message", "artifact.data", "artifact.description")
    assert found[-3:] == [f"1 rows of the column {each}" for each in columns]


def test_a_secret_is_found_in_a_file(planted: str, home: Path) -> None:
    (home / "server.log").write_text(f"postgresql://u:{quote(planted)}@h/d\n")
    assert leaks.leaks_in_folder(home) == ["the file server.log"]


def test_a_test_that_shows_a_secret_fails(planted: str, pytester: pytest.Pytester) -> None:
    """The hook of this suite's conftest.py, in a suite of its own."""
    pytester.makeconftest("from tests.conftest import pytest_runtest_makereport\n")
    pytester.makepyfile(
        "from tests import leaks\n"
        "def test_shows(): print(*leaks.known)\n"
        "def test_shows_nothing(): print('***')\n"
    )
    pytester.runpytest_inprocess("-p", "no:xdist").assert_outcomes(passed=2, errors=1)
