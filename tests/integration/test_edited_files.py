"""Files that were edited since they were applied: kept beside the ledger, shown line by line."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.edits import with_edits
from confiture_flows.migrations.validate import validate
from confiture_flows.report.finding import Finding
from confiture_flows.target import connect
from tests.integration.conftest import PROGRAM, Engine, Role

Write = Callable[..., Path]
FILES = {
    "0001_a.up.sql": "-- Größe\nCREATE TABLE a (\n    id int\n);\n",
    "0001_a.down.sql": "DROP TABLE a;\n",
    "0002_b.up.sql": "CREATE TABLE b (id int);\n",
}


def findings(engine: Engine, directory: Path) -> tuple[Finding, ...]:
    found = discover(directory)
    with connect(engine.target, "test") as conn:
        return with_edits(conn, engine.target.ledger, found, validate(found, engine.rows()))


def kept(conn: psycopg.Connection) -> list[str]:
    return [row[0] for row in conn.execute("SELECT version FROM tb_confiture_files ORDER BY 1")]


def test_unchanged_files_are_no_finding(engine: Engine, write: Write) -> None:
    directory = write(FILES)
    engine.migrate(directory)
    assert findings(engine, directory) == ()


def test_edited_up_file_is_shown_as_a_diff(engine: Engine, write: Write) -> None:
    directory = write(FILES)
    engine.migrate(directory)
    write({"0001_a.up.sql": "-- Größe\nCREATE TABLE a (\n    id bigint\n);\n"})
    (finding,) = findings(engine, directory)
    assert finding.code == "history.edited"
    assert finding.diff
    assert finding.diff.endswith(" CREATE TABLE a (\n-    id int\n+    id bigint\n );")


@pytest.mark.parametrize(
    ("name", "text", "said", "shown"),
    [
        ("0001_a.down.sql", "DROP TABLE a CASCADE;\n", "was edited", "+DROP TABLE a CASCADE;"),
        ("0001_a.down.sql", None, "its file is gone", "-DROP TABLE a;"),
        ("0002_b.down.sql", "DROP TABLE b;\n", "there is one now", None),
    ],
)
def test_way_back_that_differs_is_a_warning(
    engine: Engine, write: Write, name: str, text: str | None, said: str, shown: str | None
) -> None:
    directory = write(FILES)
    engine.migrate(directory)
    if text is None:
        (directory / name).unlink()
    else:
        write({name: text})
    (finding,) = findings(engine, directory)
    assert (finding.code, finding.severity.label) == ("history.down_edited", "warning")
    assert said in finding.message
    assert shown is None or shown in (finding.diff or "").split("\n")


def test_passwords_are_not_shown(engine: Engine, write: Write, conn: psycopg.Connection) -> None:
    role = f"{conn.info.dbname}_edited"
    text = f"CREATE ROLE {role} PASSWORD 'hunter22';\nDROP ROLE {role};\n"
    directory = write({"0001_role.up.sql": text})
    engine.migrate(directory)
    write({"0001_role.up.sql": text.replace("hunter22", "hunter33") + "SELECT 1;\n"})
    (finding,) = findings(engine, directory)
    assert "+SELECT 1;" in (finding.diff or "")
    assert "hunter" not in (finding.diff or "")
    write({"0001_role.up.sql": text.replace("hunter22", "hunter33")})
    (finding,) = findings(engine, directory)
    assert finding.diff == "It differs in a password, or in the end of a line."


def test_row_goes_with_the_ledger_row(
    engine: Engine, write: Write, conn: psycopg.Connection
) -> None:
    directory = write(FILES | {"0002_b.down.sql": "DROP TABLE b;"})
    engine.migrate(directory)
    assert kept(conn) == ["0001", "0002"]
    engine.rollback(directory)
    assert kept(conn) == ["0001"]
    write({"0003_c.up.sql": "SELECT 1 / 0;"})
    with pytest.raises(Exception, match="division"):
        engine.migrate(directory)
    assert kept(conn) == ["0001", "0002"]


def test_row_of_an_earlier_life_is_not_compared(
    engine: Engine, write: Write, conn: psycopg.Connection
) -> None:
    directory = write(FILES)
    engine.migrate(directory)
    conn.execute("UPDATE tb_confiture SET applied_at = now()")  # as another tool applies it again
    write({"0001_a.down.sql": "DROP TABLE a CASCADE;"})
    assert findings(engine, directory) == ()


def test_large_text_is_not_kept_but_its_edit_is_found(
    engine: Engine, write: Write, conn: psycopg.Connection
) -> None:
    directory = write(FILES | {"0001_a.down.sql": "DROP TABLE a;\n-- " + "x" * 1_100_000})
    engine.migrate(directory)
    row = conn.execute("SELECT down_text FROM tb_confiture_files WHERE version = '0001'").fetchone()
    assert row == (None,)
    write({"0001_a.down.sql": "DROP TABLE a;"})
    (finding,) = findings(engine, directory)
    assert (finding.code, finding.diff) == ("history.down_edited", None)


def test_user_who_may_not_create_tables_goes_without(
    engine: Engine, write: Write, conn: psycopg.Connection, new_role: Callable[[], Role]
) -> None:
    from dataclasses import replace

    directory = write(FILES)
    engine.migrate(directory, to="0001")
    conn.execute("DROP TABLE tb_confiture_files")
    role = new_role()
    name = sql.Identifier(role.name)
    conn.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    grant = "GRANT SELECT, INSERT, DELETE ON tb_confiture TO {}"
    conn.execute(sql.SQL(grant).format(name))
    limited = Engine(replace(engine.target, dsn=role.dsn))
    write({"0002_b.up.sql": "SELECT 1;"})
    limited.migrate(directory)
    assert engine.versions() == ["0001", "0002"]


def test_edited_way_back_is_shown_before_it_runs(engine: Engine, write: Write) -> None:
    directory = write(FILES)
    engine.migrate(directory, to="0001")
    write({"0001_a.down.sql": "DROP TABLE a CASCADE;\n"})
    environment = {"PATH": os.defpath, "CONFITURE_DSN": engine.target.dsn}
    done = subprocess.run(
        [PROGRAM, "status", "--json", "--dir", directory],
        capture_output=True,
        text=True,
        env=environment,
    )
    (told,) = json.loads(done.stdout)["findings"]
    assert told["diff"].endswith("-DROP TABLE a;\n+DROP TABLE a CASCADE;")
    done = subprocess.run(
        [PROGRAM, "rollback", "--plain", "--dir", directory],
        capture_output=True,
        text=True,
        env=environment,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    warned, _, rest = done.stderr.partition("rolled back 0001_a")
    assert "+DROP TABLE a CASCADE;" in warned
    assert "was edited" not in rest
