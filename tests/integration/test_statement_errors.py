"""An error says where it stands: version, file, line, statement, SQLSTATE."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from confiture_flows.errors import ApplyError

from .conftest import Engine

OK = "SELECT 1;\n"
# name: (SQL that fails, SQLSTATE, lines from the statement's first to the one to name)
FAILING = {
    "missing table": ("SELECT * FROM nowhere;\n", "42P01", 0),
    "missing column": ("SELECT\n    1,\n    nothing\nFROM pg_class;\n", "42703", 2),
    "wrong type": ("CREATE TABLE x (\n  a int,\n  b strange\n);\n", "42704", 2),
    "unique": ("INSERT INTO known VALUES (1, 1);\n", "23505", 0),
    "check": ("INSERT INTO known\nVALUES (2, -1);\n", "23514", 0),
    "not null": ("INSERT INTO known (positive) VALUES (1);\n", "23502", 0),
    "division": ("SELECT 1 / (id - 1)\nFROM known;\n", "22012", 0),
    "cast": ("SELECT 'x'::int;\n", "22P02", 0),
    "raised": ("DO $$\nBEGIN\n  RAISE EXCEPTION 'no';\nEND $$;\n", "P0001", 0),
    "missing function": ("SELECT 1;SELECT\nnofunction();\n", "42883", 1),
}


@pytest.fixture
def known(conn: psycopg.Connection) -> None:
    conn.execute("CREATE TABLE known (id int PRIMARY KEY, positive int CHECK (positive > 0))")
    conn.execute("INSERT INTO known VALUES (1, 1)")


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("before", "after"), [(0, 3), (2, 2), (4, 0)], ids=["first", "middle", "last"]
)
@pytest.mark.parametrize(("failing", "sqlstate", "lines"), FAILING.values(), ids=FAILING)
def test_error_names_its_place(
    engine: Engine,
    write: Callable[..., Path],
    before: int,
    after: int,
    failing: str,
    sqlstate: str,
    lines: int,
) -> None:
    sql = OK * before + failing + OK * after
    directory = write({"0007_wrong.up.sql": sql})

    with pytest.raises(ApplyError) as caught:
        engine.migrate(directory)

    error = caught.value
    extra = failing.startswith("SELECT 1;SELECT")
    assert type(error) is ApplyError
    assert error.version == "0007"
    assert error.file == directory / "0007_wrong.up.sql"
    assert (error.line, error.statement) == (before + 1 + lines, before + 1 + extra)
    assert error.sqlstate == sqlstate
    assert error.excerpt
    assert "0007_wrong was rolled back" in error.message
    assert pickle.loads(pickle.dumps(error)).__dict__ == error.__dict__
    assert engine.versions() == []


PLACES = {
    "comments before": ("-- a\n/* b\n   c */\n\n-- d;\nSELECT nothing;\n", 6, 1),
    "comment inside": ("SELECT 1, -- one;\n  /* two;\n */ nothing;\n", 3, 1),
    "CRLF": ("SELECT 1;\r\n\r\nSELECT\r\n  nothing;\r\n", 4, 2),
    "byte order mark": ("\ufeffSELECT 1;\nSELECT nothing;", 2, 2),
    "non-ASCII before": ("SELECT 'äöü€🙂';\nSELECT 'ß',\n nothing;\n", 3, 2),
    "own BEGIN and COMMIT": ("BEGIN;\nSELECT 1;\nSELECT nothing;\nCOMMIT;\n", 3, 3),
    "dollar quotes": (
        "DO $body$\nBEGIN\n  PERFORM 1; -- ;\nEND;\n$body$;\n\nSELECT nothing;\n",
        7,
        2,
    ),
    "after a function body": (
        (
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql\nBEGIN ATOMIC\n"
            "  SELECT 1;\n  SELECT 2;\nEND;\nSELECT nothing;"
        ),
        6,
        2,
    ),
}


@pytest.mark.parametrize(("sql", "line", "statement"), PLACES.values(), ids=PLACES)
def test_line_is_the_files_line(
    engine: Engine, write: Callable[..., Path], sql: str, line: int, statement: int
) -> None:
    with pytest.raises(ApplyError) as caught:
        engine.migrate(write({"0001_wrong.up.sql": sql.encode()}))

    assert (caught.value.line, caught.value.statement) == (line, statement)


def test_line_counts_from_the_files_start_in_a_section(
    engine: Engine, write: Callable[..., Path]
) -> None:
    directory = write({"20260101000000_users.sql": "-- migrate:up\n\nSELECT 1;\nSELECT nothing;\n"})
    with pytest.raises(ApplyError) as caught:
        engine.migrate(directory)

    assert (caught.value.line, caught.value.statement) == (4, 2)


def test_detail_of_the_server_is_told_without_the_values_of_rows(
    engine: Engine, write: Callable[..., Path]
) -> None:
    sql = "CREATE TABLE users (id int PRIMARY KEY);\nINSERT INTO users VALUES (7), (7);"
    with pytest.raises(ApplyError, match=r"Key \(id\)=\(\.\.\.\) already exists\.") as e:
        engine.migrate(write({"0001_users.up.sql": sql}))

    assert "SELECT id, count(*) FROM users GROUP BY id" in (e.value.next_step or "")


def test_password_in_a_failing_statement_is_masked(
    engine: Engine, write: Callable[..., Path]
) -> None:
    sql = "ALTER ROLE nobody_of_that_name WITH PASSWORD 'opensesame';"
    with pytest.raises(ApplyError) as caught:
        engine.migrate(write({"0001_role.up.sql": sql}))

    assert caught.value.excerpt is not None
    assert "ALTER ROLE nobody_of_that_name" in caught.value.excerpt
    assert "opensesame" not in repr(caught.value.__dict__)


def test_failing_row_of_a_copy_block_is_named(
    engine: Engine, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    sql = (
        "CREATE TABLE users (id int, name text);\n"
        "COPY users (id, name) FROM stdin;\n1\tAda\nx\tBob\n\\.\n"
        "SELECT 1;\n"
    )
    with pytest.raises(ApplyError, match='integer: "x"') as caught:
        engine.migrate(write({"0001_users.up.sql": sql}))

    assert (caught.value.line, caught.value.statement) == (4, 2)
    assert caught.value.sqlstate == "22P02"
    assert "column id" in caught.value.message
    assert tables() == []


@pytest.mark.parametrize("number", [1, 1500, 2500])
def test_statement_of_a_very_long_file_is_named(
    engine: Engine, write: Callable[..., Path], number: int
) -> None:
    lines = ["SELECT 1;"] * 2500
    lines[number - 1] = "SELECT 1 / 0;"
    with pytest.raises(ApplyError) as caught:
        engine.migrate(write({"0001_long.up.sql": "\n".join(lines)}))

    assert (caught.value.line, caught.value.statement) == (number, number)


def test_syntax_that_only_a_later_server_knows_is_placed_too(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    """Our parser knows PostgreSQL 18; the server refuses the text before it runs any of it."""
    if conn.info.server_version >= 180000:
        pytest.skip("this server knows it")
    sql = (
        "SELECT 1;\nCREATE TABLE known_too (\n  a int,\n  b int,\n"
        "  EXCLUDE USING gist (a WITH =),\n  UNIQUE (a, b WITHOUT OVERLAPS)\n);\nSELECT 2;\n"
    )
    with pytest.raises(ApplyError, match="syntax error") as caught:
        engine.migrate(write({"0001_late.up.sql": sql}))

    assert (caught.value.line, caught.value.statement) == (6, 2)
    assert caught.value.sqlstate == "42601"
    assert engine.versions() == []


def test_rule_that_answers_too_does_not_shift_the_count(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    conn.execute(
        "CREATE TABLE t (id int); CREATE TABLE log (id int);"
        " CREATE RULE noted AS ON INSERT TO t DO ALSO INSERT INTO log VALUES (NEW.id);"
        " CREATE RULE shown AS ON INSERT TO t DO ALSO SELECT * FROM log"
    )
    directory = write({"0001_rows.up.sql": "INSERT INTO t VALUES (1);\nSELECT 1;\nSELECT 1 / 0;"})

    with pytest.raises(ApplyError) as caught:
        engine.migrate(directory)
    assert (caught.value.line, caught.value.statement) == (3, 3)

    write({"0001_rows.up.sql": "INSERT INTO t VALUES (1);\nSELECT 1;"})
    engine.migrate(directory)
    assert engine.versions() == ["0001"]
