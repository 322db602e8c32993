"""A copy that is planned and tried from a configuration, on servers that are set up oddly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from confiture_flows.anonymization.copy import copy_database
from confiture_flows.anonymization.copying.values import CopyOptions
from confiture_flows.anonymization.plan import stop_if_refused
from confiture_flows.anonymization.planning import Planned
from confiture_flows.anonymization.prepare import prepare_copy
from confiture_flows.anonymization.preview import preview_table
from confiture_flows.config import load_project
from confiture_flows.errors import ConfigError, CopyError
from confiture_flows.target import Target, connect
from tests.integration.anonymization.conftest import SECRET

STAYS = """
CREATE TABLE stays (day date PRIMARY KEY, left_at timestamp NOT NULL, code text);
INSERT INTO stays
SELECT '2024-01-12'::date + n, '2024-01-12 10:00'::timestamp + n * interval '1 day', n
FROM generate_series(0, 20) AS n;
"""

Prepare = Callable[[psycopg.Connection, str], Planned]


@pytest.fixture
def prepare(target: Target, tmp_path: Path) -> Prepare:
    def run(conn: psycopg.Connection, said: str) -> Planned:
        (tmp_path / "confiture.toml").write_text(said)
        project = load_project(tmp_path / "confiture.toml")
        return prepare_copy(conn, project, target, tmp_path / "copy", SECRET, tmp_path)

    return run


def test_dates_are_read_whatever_style_the_server_writes(
    conn: psycopg.Connection, target: Target, tmp_path: Path, prepare: Prepare
):
    conn.execute(STAYS)
    conn.execute(f"ALTER DATABASE \"{conn.info.dbname}\" SET DateStyle = 'SQL, DMY'".encode())
    with connect(target, "test") as source:
        planned = prepare(
            source,
            '[anonymization.columns]\n"public.stays.left_at" = "date-shift"\n'
            '[anonymization.subset]\n"public.stays" = "day < \'2024-01-20\'"\n',
        )
        stop_if_refused(planned.plan)
        preview = preview_table(source, planned, "public.stays")
        assert not preview.errors
        assert preview.before[0] == ("2024-01-12 10:00:00",)
        report = copy_database(
            target, tmp_path / "copy", planned.plan, SECRET, CopyOptions(workers=1)
        )
    assert report.rows == 8


def test_condition_that_fails_on_a_value_does_not_tell_it(
    conn: psycopg.Connection, prepare: Prepare
):
    conn.execute(STAYS)
    conn.execute("UPDATE stays SET code = 'ada lovelace' WHERE day = '2024-01-15'")
    with pytest.raises(CopyError, match=r"invalid text representation \(22P02\)") as caught:
        prepare(conn, '[anonymization.subset]\n"public.stays" = "code::int < 3"')
    assert "ada" not in str(caught.value)
    assert "a condition on rows" in str(caught.value.next_step)


def test_module_of_strategies_that_fails_is_told_with_its_file(
    conn: psycopg.Connection, tmp_path: Path, prepare: Prepare
):
    (tmp_path / "masks_that_fail.py").write_text("1 / 0\n")
    with pytest.raises(ConfigError, match="'masks_that_fail' cannot be imported") as caught:
        prepare(conn, '[anonymization]\nstrategies = ["masks_that_fail"]\n')
    assert caught.value.file == tmp_path / "confiture.toml"
