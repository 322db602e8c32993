"""The ledger has the format that fraiseql-confiture reads and writes, and is found as it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from confiture_flows.errors import LedgerError, TargetError
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.ledger import locate_ledger, read_ledger
from confiture_flows.migrations.status import State, read_status
from confiture_flows.target import connect

from .conftest import Engine, Role

ONE = {
    "0001_users.up.sql": "CREATE TABLE users (id int);",
    "0001_users.down.sql": "DROP TABLE users;",
}

# name, type, not null, default or identity: as fraiseql-confiture creates it.
COLUMNS = [
    ("id", "uuid", True, "gen_random_uuid()"),
    ("pk_confiture", "bigint", True, "identity a"),
    ("slug", "text", True, None),
    ("version", "character varying(255)", True, None),
    ("name", "character varying(255)", True, None),
    ("applied_at", "timestamp with time zone", True, "now()"),
    ("execution_time_ms", "integer", False, None),
    ("checksum", "character varying(64)", False, None),
    ("applied_by", "text", False, None),
    ("archived_into", "character varying(255)", False, None),
]
# What an earlier run of that tool leaves behind: no checksum, and rows squashed into another.
FOREIGN = """
CREATE TABLE {} (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    pk_confiture bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    slug text NOT NULL UNIQUE,
    version varchar(255) NOT NULL UNIQUE,
    name varchar(255) NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    execution_time_ms integer,
    checksum varchar(64),
    applied_by text,
    archived_into varchar(255)
)
"""


def with_ledger(engine: Engine, name: str) -> Engine:
    return Engine(replace(engine.target, ledger=name))


def test_ledger_has_the_columns_of_the_format(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    engine.migrate(write(ONE))

    columns = conn.execute(
        "SELECT attname, format_type(atttypid, atttypmod), attnotnull,"
        " coalesce('identity ' || nullif(attidentity::text, ''), pg_get_expr(adbin, adrelid))"
        " FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum"
        " WHERE attrelid = 'tb_confiture'::regclass AND attnum > 0 AND NOT attisdropped"
        " ORDER BY attnum"
    ).fetchall()

    assert columns == COLUMNS


def test_ledger_has_the_keys_and_indexes_of_the_format(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    engine.migrate(write(ONE))

    keys = conn.execute(
        "SELECT contype::text, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = 'tb_confiture'::regclass AND contype IN ('p', 'u') ORDER BY 1, 2"
    ).fetchall()
    indexes = conn.execute(
        "SELECT indexname, substring(indexdef FROM '[(].*') FROM pg_indexes"
        " WHERE tablename = 'tb_confiture' AND indexname LIKE 'idx%' ORDER BY 1"
    ).fetchall()

    assert keys == [
        ("p", "PRIMARY KEY (id)"),
        ("u", "UNIQUE (pk_confiture)"),
        ("u", "UNIQUE (slug)"),
        ("u", "UNIQUE (version)"),
    ]
    assert indexes == [
        ("idx_tb_confiture_applied_at", "(applied_at DESC)"),
        ("idx_tb_confiture_pk_confiture", "(pk_confiture)"),
        ("idx_tb_confiture_slug", "(slug)"),
        ("idx_tb_confiture_version", "(version)"),
    ]


def test_slug_is_name_version_and_time(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    engine.migrate(write(ONE))

    row = conn.execute("SELECT slug FROM tb_confiture").fetchone()

    assert row is not None
    assert re.fullmatch(r"users_0001_20\d{6}_\d{6}", row[0])


@pytest.mark.parametrize(
    ("name", "schema", "table"),
    [
        ("tb_confiture", "public", "tb_confiture"),
        ("history", "public", "history"),
        ("ops.history", "ops", "history"),
        ("Ops Room.My Ledger", "Ops Room", "My Ledger"),
    ],
)
def test_ledger_is_created_where_its_name_says(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    name: str,
    schema: str,
    table: str,
) -> None:
    conn.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
    named = with_ledger(engine, name)
    directory = write(ONE)

    named.migrate(directory)

    found = conn.execute(
        "SELECT schemaname, tablename FROM pg_tables"
        " WHERE tablename <> 'users' AND schemaname !~ '^(pg_|information_schema)'"
    ).fetchall()
    assert sorted(found) == [(schema, table), (schema, f"{table}_files")]
    assert named.versions() == ["0001"]
    named.rollback(directory)
    assert named.versions() == []


def test_ledger_is_found_through_search_path(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    conn.execute("CREATE SCHEMA app")
    conn.execute(
        sql.SQL("ALTER DATABASE {} SET search_path = app, public").format(
            sql.Identifier(conn.info.dbname)
        )
    )
    engine.migrate(write(ONE))
    row = conn.execute(
        "SELECT to_regclass('app.tb_confiture') IS NOT NULL, to_regclass('public.tb_confiture')"
    ).fetchone()

    assert row == (True, None)
    assert engine.versions() == ["0001"]


def test_ledger_further_down_the_search_path_is_used(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    engine.migrate(write(ONE))
    conn.execute("CREATE SCHEMA app")
    conn.execute("SET search_path = app, public")

    assert locate_ledger(conn, "tb_confiture").schema == "public"


def test_run_does_not_care_where_a_file_sets_search_path(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    directory = write(
        {
            "0001_app.up.sql": "CREATE SCHEMA app; SET search_path = app;",
            "0002_users.up.sql": "SET LOCAL search_path = ''; CREATE TABLE app.users (id int);",
        }
    )
    engine.migrate(directory)

    assert engine.versions() == ["0001", "0002"]
    assert locate_ledger(conn, "tb_confiture").schema == "public"


def test_search_path_without_a_schema_is_told(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    conn.execute(
        sql.SQL("ALTER DATABASE {} SET search_path = nowhere").format(
            sql.Identifier(conn.info.dbname)
        )
    )
    with pytest.raises(LedgerError, match="no place for the ledger"):
        engine.migrate(write(ONE))


def test_missing_schema_of_the_ledger_is_told(engine: Engine, write: Callable[..., Path]) -> None:
    with pytest.raises(LedgerError, match="schema ops does not exist") as caught:
        with_ledger(engine, "ops.history").migrate(write(ONE))

    assert caught.value.next_step == 'CREATE SCHEMA "ops";'


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE history (id int)",
        "CREATE TABLE history (version int, name text)",
        "CREATE VIEW history AS SELECT 1 AS version",
        "CREATE SEQUENCE history",
        "CREATE TYPE history AS (version text)",
        "CREATE TABLE t (id int); CREATE INDEX history ON t (id)",
    ],
)
def test_something_else_of_that_name_is_refused(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    tables: Callable[[], list[str]],
    statement: str,
) -> None:
    conn.execute(statement.encode())
    before = tables()

    with pytest.raises(LedgerError, match=r"public\.history is not a ledger") as caught:
        with_ledger(engine, "history").migrate(write(ONE))

    assert caught.value.next_step is not None
    assert tables() == before


def test_role_that_may_not_create_the_ledger_is_told(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    new_role: Callable[[], Role],
) -> None:
    conn.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    role = new_role()
    limited = Engine(replace(engine.target, dsn=role.dsn))

    with pytest.raises(TargetError, match="may not create the ledger") as caught:
        limited.migrate(write(ONE))

    grant = f'GRANT CREATE ON SCHEMA "public" TO "{role.name}";'
    assert caught.value.next_step == grant
    conn.execute(grant.encode())
    limited.migrate(write(ONE))
    assert limited.versions() == ["0001"]


def test_role_that_may_not_read_the_ledger_is_told(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    new_role: Callable[[], Role],
) -> None:
    conn.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
    engine.migrate(write({"0000_nothing.up.sql": ""}))
    role = new_role()
    limited = Engine(replace(engine.target, dsn=role.dsn))
    directory = write(ONE)

    with pytest.raises(LedgerError, match="may not read the ledger") as caught:
        limited.migrate(directory)

    assert caught.value.next_step is not None
    conn.execute(caught.value.next_step.encode())
    limited.migrate(directory)
    assert limited.versions() == ["0000", "0001"]


def test_role_that_may_read_but_not_write_the_ledger_is_told(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    new_role: Callable[[], Role],
    tables: Callable[[], list[str]],
) -> None:
    conn.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
    engine.migrate(write({"0000_nothing.up.sql": ""}))
    role = new_role()
    conn.execute(sql.SQL("GRANT SELECT ON tb_confiture TO {}").format(sql.Identifier(role.name)))

    with pytest.raises(Exception, match="permission denied for table tb_confiture") as caught:
        Engine(replace(engine.target, dsn=role.dsn)).migrate(write(ONE))

    assert getattr(caught.value, "sqlstate", None) == "42501"
    assert tables() == []


def test_schema_that_may_not_be_used_is_told(
    engine: Engine,
    conn: psycopg.Connection,
    new_role: Callable[[], Role],
) -> None:
    conn.execute("CREATE SCHEMA ops")
    conn.execute(sql.SQL(FOREIGN).format(sql.Identifier("ops", "history")))
    role = new_role()

    with pytest.raises(LedgerError, match="may not look into the ledger's schema ops"):
        with_ledger(Engine(replace(engine.target, dsn=role.dsn)), "ops.history").rows()


def test_rows_of_another_tool_without_checksum_count_as_applied(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    tables: Callable[[], list[str]],
) -> None:
    conn.execute(sql.SQL(FOREIGN).format(sql.Identifier("tb_confiture")))
    conn.execute("INSERT INTO tb_confiture (slug, version, name) VALUES ('u', '0001', 'users')")
    directory = write(ONE | {"0002_orders.up.sql": "CREATE TABLE orders (id int);"})

    done = engine.migrate(directory)

    assert [row.version for row in done] == ["0002"]
    assert tables() == ["orders"]
    states = [each.state for each in read_status(discover(directory), engine.rows())]
    assert states == [State.APPLIED, State.APPLIED]


def test_archived_rows_are_neither_missing_nor_undone(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
) -> None:
    conn.execute(sql.SQL(FOREIGN).format(sql.Identifier("tb_confiture")))
    conn.execute(
        "INSERT INTO tb_confiture (slug, version, name, archived_into) VALUES"
        " ('a', '0000a', 'old', '0001'), ('b', '0000b', 'older', '0001'),"
        " ('u', '0001', 'users', NULL)"
    )
    conn.execute("CREATE TABLE users (id int)")
    directory = write(ONE)

    assert engine.migrate(directory) == ()
    engine.rollback(directory, "zero")

    assert engine.versions() == ["0000a", "0000b"]


def test_dropped_ledger_is_told_as_such(
    engine: Engine, write: Callable[..., Path], tables: Callable[[], list[str]]
) -> None:
    directory = write({"0001_all.up.sql": "DROP TABLE tb_confiture; CREATE TABLE users (id int);"})

    with pytest.raises(Exception, match="ledger row could not be written") as caught:
        engine.migrate(directory)

    assert getattr(caught.value, "sqlstate", None) == "42P01"
    assert tables() == []


def test_reading_never_creates_the_ledger(
    dsn: str, conn: psycopg.Connection, engine: Engine
) -> None:
    with connect(engine.target, "test") as reader:
        assert read_ledger(reader, "tb_confiture") == ()
    row = conn.execute("SELECT to_regclass('tb_confiture')").fetchone()
    assert row == (None,)
