"""The ledger of each other tool, as that tool creates it, is recognised and read."""

from __future__ import annotations

from datetime import datetime

import psycopg
import pytest
from psycopg import sql

from confiture_flows.errors import ConfigError
from confiture_flows.migrations.adoption import ForeignLedger, all_tools
from confiture_flows.migrations.foreign_ledger import read_foreign_ledger
from tests.foreign_ledgers import SHOPS, crc32

# What the table does not tell from others', the directory does.
LAYOUTS = {"dbmate": "dbmate"}


def versions(ledger: ForeignLedger) -> list[str]:
    return [entry.version for entry in ledger.entries]


def create(conn: psycopg.Connection, tool: str, *rows: str) -> None:
    """The tool's ledger with these rows; without any, with what the shop has in it."""
    conn.execute(SHOPS[tool].create.encode())
    table = sql.SQL(SHOPS[tool].table)  # pyright: ignore[reportArgumentType]
    for row in rows:
        values = sql.SQL(row)  # pyright: ignore[reportArgumentType]
        conn.execute(sql.SQL("INSERT INTO {} VALUES ({})").format(table, values))
    if not rows:
        conn.execute(SHOPS[tool].insert.encode())


def test_every_tool_has_its_case() -> None:
    assert {tool.name for tool in all_tools()} == set(SHOPS)


@pytest.mark.parametrize("tool", SHOPS)
def test_ledger_is_recognised_by_its_table(conn: psycopg.Connection, tool: str) -> None:
    create(conn, tool)

    found = read_foreign_ledger(conn, layout=LAYOUTS.get(tool))

    assert (found.tool, found.table) == (tool, SHOPS[tool].table)
    assert found.entries
    assert found == read_foreign_ledger(conn, tool=tool)
    assert found == read_foreign_ledger(conn, table=SHOPS[tool].table, layout=LAYOUTS.get(tool))


@pytest.mark.parametrize("tool", SHOPS)
def test_ledger_is_found_through_search_path(conn: psycopg.Connection, tool: str) -> None:
    create(conn, tool)
    table = SHOPS[tool].table.removeprefix("public.")
    conn.execute("CREATE SCHEMA audit")
    conn.execute(sql.SQL("ALTER TABLE {} SET SCHEMA audit").format(sql.Identifier(table)))

    with pytest.raises(ConfigError) as caught:
        read_foreign_ledger(conn, layout=LAYOUTS.get(tool))
    assert caught.value.next_step == f"It may be this one: --table audit.{table}"
    layout = LAYOUTS.get(tool)
    assert read_foreign_ledger(conn, table=f"audit.{table}", layout=layout).tool == tool

    conn.execute("SET search_path TO public, audit")
    assert read_foreign_ledger(conn, layout=layout).table == f"audit.{table}"


@pytest.mark.parametrize("tool", SHOPS)
def test_ledger_of_another_name_is_recognised_by_its_columns(
    conn: psycopg.Connection, tool: str
) -> None:
    create(conn, tool)
    conn.execute(
        sql.SQL("ALTER TABLE {} RENAME TO {}").format(
            sql.SQL(SHOPS[tool].table),  # pyright: ignore[reportArgumentType]
            sql.Identifier('My "history"'),
        )
    )

    found = read_foreign_ledger(conn, table='My "history"', layout=LAYOUTS.get(tool))
    assert found.tool == tool


@pytest.mark.parametrize("tool", SHOPS)
def test_empty_ledger_has_no_entries(conn: psycopg.Connection, tool: str) -> None:
    conn.execute(SHOPS[tool].create.encode())

    found = read_foreign_ledger(conn, layout=LAYOUTS.get(tool))

    assert (found.tool, found.entries, found.through) == (tool, (), None)


@pytest.mark.parametrize("tool", ["goose", "diesel", "prisma", "sqlx", "flyway"])
def test_time_is_read_whatever_the_date_style(conn: psycopg.Connection, tool: str) -> None:
    create(conn, tool)
    conn.execute("SET datestyle TO 'German'")

    at = read_foreign_ledger(conn).entries[0].applied_at

    assert isinstance(at, datetime)
    assert at.year == 2026


def test_golang_migrate_is_through_its_version(conn: psycopg.Connection) -> None:
    create(conn, "golang-migrate")

    assert read_foreign_ledger(conn).through == "2"


def test_golang_migrate_that_is_dirty_is_not_complete(conn: psycopg.Connection) -> None:
    create(conn, "golang-migrate", "2, true")

    found = read_foreign_ledger(conn)

    assert found.through is None
    assert [entry.complete for entry in found.entries] == [False]


def test_golang_migrate_with_two_rows_is_a_question(conn: psycopg.Connection) -> None:
    create(conn, "golang-migrate", "1, false", "2, false")

    found = read_foreign_ledger(conn)

    assert (found.through, "has 2" in (found.question or "")) == (None, True)


def test_goose_goes_by_the_last_row_of_a_version(conn: psycopg.Connection) -> None:
    create(
        conn,
        "goose",
        *("1, 0, true", "2, 1, true", "3, 2, true", "4, 2, false", "5, 3, true"),
        *("6, 3, false", "7, 3, true"),
    )

    assert versions(read_foreign_ledger(conn)) == ["1", "3"]


def test_prisma_leaves_out_what_was_rolled_back(conn: psycopg.Connection) -> None:
    create(
        conn,
        "prisma",
        "'a', 'x', now(), 'one', NULL, NULL, '2026-01-01', 1",
        "'b', 'x', NULL, 'two', 'ERROR', now(), '2026-01-02', 0",
        "'c', 'x', NULL, 'three', 'ERROR', now(), '2026-01-03', 0",
        "'d', 'x', now(), 'three', NULL, NULL, '2026-01-04', 0",
        "'e', 'x', NULL, 'four', 'ERROR', NULL, '2026-01-05', 0",
    )

    found = read_foreign_ledger(conn)

    assert [(entry.version, entry.complete) for entry in found.entries] == [
        ("one", True),
        ("three", True),
        ("four", False),
    ]
    assert found.entries[1].note == "marked by prisma migrate resolve"


def test_sqlx_that_failed_is_not_complete(conn: psycopg.Connection) -> None:
    create(conn, "sqlx", r"1, 'a', now(), false, '\xab', 7")

    (entry,) = read_foreign_ledger(conn).entries

    assert (entry.complete, entry.checksum) == (False, "ab")


def test_alembic_with_two_heads_is_a_question(conn: psycopg.Connection) -> None:
    create(conn, "alembic", "'27c6a30d7c24'", "'ae1027a6acf'")

    found = read_foreign_ledger(conn)

    assert found.through is None
    assert "2 heads (27c6a30d7c24, ae1027a6acf)" in (found.question or "")


def flyway_row(rank: int, version: str | None, kind: str, success: bool = True) -> str:
    quoted = "NULL" if version is None else f"'{version}'"
    return (
        f"{rank}, {quoted}, 'does {version}', '{kind}', 'file', {crc32('x')}, 'ada',"
        f" '2026-01-01', 7, {success}"
    )


def test_flyway_log_is_replayed(conn: psycopg.Connection) -> None:
    create(
        conn,
        "flyway",
        flyway_row(0, None, "SCHEMA"),
        flyway_row(1, "1", "BASELINE"),
        flyway_row(2, "1.1", "SQL"),
        flyway_row(3, "1.2", "SQL"),
        flyway_row(4, None, "SQL"),
        flyway_row(5, "1.2", "UNDO_SQL"),
        flyway_row(6, "1.3", "JDBC"),
        flyway_row(7, "1.4", "SQL"),
        flyway_row(8, "1.4", "DELETE"),
        flyway_row(9, "1.10", "SPRING_JDBC"),
        flyway_row(10, "1.11", "SQL", success=False),
        flyway_row(11, "1.10", "UNDO_SQL", success=False),
    )

    found = read_foreign_ledger(conn)

    assert found.through == "1"
    assert [(entry.version, entry.complete) for entry in found.entries] == [
        ("1.1", True),
        ("1.3", True),
        ("1.10", True),
        ("1.11", False),
    ]
    assert found.note == "Repeatable migrations are not marked: does None."


def test_flyway_baseline_file_stands_for_all_before_it(conn: psycopg.Connection) -> None:
    create(
        conn,
        "flyway",
        flyway_row(1, "2.10", "SQL_BASELINE"),
        flyway_row(2, "2.9", "SQL_STATE_SCRIPT"),
        flyway_row(3, "3", "SQL"),
    )

    found = read_foreign_ledger(conn)

    assert (found.through, versions(found)) == ("2.10", ["3"])


@pytest.mark.parametrize(
    "columns",
    [
        "version varchar PRIMARY KEY",
        "version varchar(255)",
        "version bigint PRIMARY KEY, inserted_at timestamp(0)",
    ],
    ids=["rails", "old-rails", "ecto"],
)
def test_table_that_only_looks_like_dbmates_is_not_guessed(
    conn: psycopg.Connection, columns: str
) -> None:
    table = sql.SQL(columns)  # pyright: ignore[reportArgumentType]
    conn.execute(sql.SQL("CREATE TABLE schema_migrations ({})").format(table))
    conn.execute("INSERT INTO schema_migrations (version) VALUES ('20260101000000')")

    with pytest.raises(ConfigError, match="Rails, Ecto") as caught:
        read_foreign_ledger(conn, layout="pairs")
    assert "--from dbmate --table public.schema_migrations" in (caught.value.next_step or "")
    assert versions(read_foreign_ledger(conn, tool="dbmate")) == ["20260101000000"]


def test_two_ledgers_are_a_question(conn: psycopg.Connection) -> None:
    create(conn, "goose")
    create(conn, "sqlx")

    with pytest.raises(ConfigError, match="More than one tool") as caught:
        read_foreign_ledger(conn)
    assert caught.value.next_step == "Say whose it is: --from goose or --from sqlx"
    assert read_foreign_ledger(conn, tool="sqlx").tool == "sqlx"


def test_dbmate_does_not_take_golang_migrates_table(conn: psycopg.Connection) -> None:
    create(conn, "golang-migrate")

    with pytest.raises(ConfigError, match="is not a ledger of dbmate: its columns are version, d"):
        read_foreign_ledger(conn, tool="dbmate")


def test_table_of_no_tool_is_refused(conn: psycopg.Connection) -> None:
    conn.execute("CREATE TABLE alembic_version (number int)")
    conn.execute("CREATE TABLE own (id int)")

    for table in (None, "own"):
        with pytest.raises(ConfigError, match="No tool has its ledger in a table with") as caught:
            read_foreign_ledger(conn, table=table)
        assert "baseline --to VERSION" in (caught.value.next_step or "")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "No other tool's ledger is found"),
        ({"tool": "goose"}, "There is no table goose_db_version"),
        ({"tool": "flyway"}, "There is no table flyway_schema_history or schema_version"),
        ({"table": "nothing.here"}, "There is no table nothing.here"),
        ({"tool": "liquibase"}, "There is no tool 'liquibase'"),
    ],
)
def test_nothing_found_is_said(conn: psycopg.Connection, given: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        read_foreign_ledger(conn, **given)
    assert caught.value.next_step
