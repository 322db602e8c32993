"""Each migration starts in the same session state, whatever the one before it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from confiture_flows.migrations.lifecycle import Request, run_lifecycle
from confiture_flows.migrations.observer import Observer
from confiture_flows.migrations.plain import PlainStages
from confiture_flows.migrations.plan import Direction
from confiture_flows.report.finding import Severity
from confiture_flows.target import connect

from .conftest import Engine, Role

# What a file leaves behind, and what the next one would have to put up with.
LEAKS = {
    "search_path": ("SET search_path = ''", "current_setting('search_path') <> ''"),
    "search_path by function": (
        "SELECT set_config('search_path', '', false)",
        "current_setting('search_path') <> ''",
    ),
    "lock_timeout": ("SET lock_timeout = 0", "current_setting('lock_timeout') = '100ms'"),
    "statement_timeout": (
        "SET statement_timeout = '17s'",
        "current_setting('statement_timeout') = '0'",
    ),
    "RESET ALL": ("RESET ALL", "current_setting('lock_timeout') = '100ms'"),
    "row_security": ("SET row_security = off", "current_setting('row_security') = 'on'"),
    "check_function_bodies": (
        "SET check_function_bodies = false",
        "current_setting('check_function_bodies') = 'on'",
    ),
    "client_encoding": (
        "SELECT set_config('client_encoding', 'LATIN1', false)",
        "current_setting('client_encoding') = 'UTF8' AND length('ß€') = 2",
    ),
    "quoted literals": (
        "SELECT set_config('standard_conforming_strings', 'off', false)",
        "current_setting('standard_conforming_strings') = 'on'",
    ),
    "application_name": (
        "SET application_name = 'psql'",
        "current_setting('application_name') = 'confiture-flows test'",
    ),
    "read only": (
        "SET default_transaction_read_only = on",
        "current_setting('transaction_read_only') = 'off'",
    ),
    "isolation": (
        "SET default_transaction_isolation = 'serializable'",
        "current_setting('transaction_isolation') = 'read committed'",
    ),
    "session characteristics": (
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "current_setting('transaction_isolation') = 'read committed'",
    ),
    "custom setting": (
        "SET app.tenant = '7'",
        "coalesce(current_setting('app.tenant', true), '') = ''",
    ),
    "temporary table": (
        "CREATE TEMP TABLE leak (id int)",
        "to_regclass('pg_temp.leak') IS NULL",
    ),
    "prepared statement": (
        "PREPARE leak AS SELECT 1",
        "NOT EXISTS (SELECT FROM pg_prepared_statements)",
    ),
    "cursor": (
        "DECLARE leak CURSOR WITH HOLD FOR SELECT 1",
        "NOT EXISTS (SELECT FROM pg_cursors WHERE name = 'leak')",
    ),
    "LISTEN": ("LISTEN leak", "NOT EXISTS (SELECT FROM pg_listening_channels())"),
    "role": ("SET ROLE {role}", "current_user = session_user"),
    "session authorization": (
        "SET SESSION AUTHORIZATION {role}",
        "current_user <> {role_literal} AND session_user <> {role_literal}",
    ),
    "role after session authorization": (
        "SET SESSION AUTHORIZATION {role}; SET ROLE {role}",
        "current_user <> {role_literal} AND session_user <> {role_literal}",
    ),
}


@pytest.mark.parametrize(("leak", "check"), LEAKS.values(), ids=LEAKS)
def test_what_a_file_leaves_reaches_neither_the_next_nor_a_verify_script(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    request: pytest.FixtureRequest,
    leak: str,
    check: str,
) -> None:
    if "{role}" in leak:
        new_role: Callable[[], Role] = request.getfixturevalue("new_role")
        role = new_role().name
        leak = leak.format(role=f'"{role}"')
        check = check.format(role_literal=f"'{role}'")
    # A verify script is read-only by itself.
    verify = check if "read_only" not in leak else "true"
    directory = write(
        {
            "0001_leak.up.sql": f"{leak};",
            "0002_check.up.sql": f"CREATE TABLE seen AS SELECT coalesce({check}, false) AS clean;",
            "0003_leak.up.sql": f"{leak};",
            "0003_leak.verify.sql": f"SELECT {verify};",
        }
    )
    with connect(engine.target, "test") as runner:
        report = run_lifecycle(
            PlainStages(runner, engine.target, Request(directory), Observer(), lambda _: None),
            target="test",
            direction=Direction.UP,
            gate=Severity.WARNING,
        )

    assert report.findings == ()
    assert conn.execute("SELECT clean FROM seen").fetchall() == [(True,)]
    assert [row.applied_by for row in engine.rows()] == [conn.info.user] * 3


def test_what_a_failed_file_leaves_does_not_hide_the_ledger(
    engine: Engine, write: Callable[..., Path]
) -> None:
    """SET outside a transaction survives the failure of what follows it."""
    directory = write(
        {
            "0001_users.up.sql": "CREATE TABLE users (id int);",
            "0002_leak.up.sql": "-- confiture: transaction=none\n"
            "SET search_path = '';\nSELECT 1 / 0;\n",
        }
    )
    reports = []
    with connect(engine.target, "test") as conn:
        stages = PlainStages(conn, engine.target, Request(directory), Observer(), reports.append)
        with pytest.raises(Exception, match="division by zero"):
            run_lifecycle(stages, target="test", direction=Direction.UP, gate=Severity.ERROR)

    assert [row.version for row in reports[0].done] == ["0001"]


def test_limits_of_the_target_reach_the_session(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    sql_text = (
        "CREATE TABLE seen AS SELECT current_setting('lock_timeout') AS a,"
        " current_setting('statement_timeout') AS b,"
        " current_setting('idle_in_transaction_session_timeout') AS c,"
        " current_setting('client_connection_check_interval') AS d;"
    )
    limited = engine.limited(lock_timeout_ms=250, statement_timeout_ms=9000)

    limited.migrate(write({"0001_seen.up.sql": sql_text}))

    assert conn.execute("SELECT * FROM seen").fetchall() == [("250ms", "9s", "0", "500ms")]


def test_settings_of_the_users_own_dsn_hold_for_every_file(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection, dsn: str
) -> None:
    from psycopg.conninfo import make_conninfo

    own = make_conninfo(dsn, options="-c work_mem=7MB", application_name="release train")
    chosen = Engine(replace(engine.target, dsn=own))
    look = "SELECT current_setting('work_mem') AS m, current_setting('application_name') AS a;"

    chosen.migrate(
        write(
            {
                "0001_a.up.sql": "SET work_mem = '1MB';",
                "0002_b.up.sql": f"CREATE TABLE seen AS {look}",
            }
        )
    )

    assert conn.execute("SELECT * FROM seen").fetchall() == [("7MB", "release train")]


@pytest.mark.parametrize(
    ("statements", "isolation"),
    [
        ("{}", "read committed"),
        ("BEGIN; {} COMMIT;", "read committed"),
        ("BEGIN ISOLATION LEVEL SERIALIZABLE; {} COMMIT;", "serializable"),
        ("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ; {} END;", "repeatable read"),
        ("START TRANSACTION ISOLATION LEVEL SERIALIZABLE; {} COMMIT;", "serializable"),
        ("BEGIN; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; {} COMMIT;", "serializable"),
        ("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; {}", "repeatable read"),
        (
            "-- confiture: transaction=as-written\nBEGIN ISOLATION LEVEL SERIALIZABLE; {} COMMIT;",
            "serializable",
        ),
    ],
)
def test_isolation_level_of_the_file_is_honoured(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    statements: str,
    isolation: str,
) -> None:
    look = "CREATE TABLE seen AS SELECT current_setting('transaction_isolation');"

    engine.migrate(write({"0001_seen.up.sql": statements.format(look)}))

    assert conn.execute("SELECT * FROM seen").fetchall() == [(isolation,)]
    assert engine.versions() == ["0001"]


@pytest.mark.parametrize("style", ["SQL, DMY", "German", "Postgres, MDY"])
def test_date_style_of_the_database_is_no_hindrance(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection, style: str
) -> None:
    conn.execute(
        sql.SQL("ALTER DATABASE {} SET datestyle = {}").format(
            sql.Identifier(conn.info.dbname), style
        )
    )
    look = "CREATE TABLE seen AS SELECT current_setting('datestyle') AS style;"

    done = engine.migrate(write({"0001_a.up.sql": "SET datestyle = 'ISO';", "0002_b.up.sql": look}))

    assert engine.rows() == done
    ((seen,),) = conn.execute("SELECT style FROM seen").fetchall()
    assert seen.startswith(style.partition(",")[0])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("datestyle", "German"),
        ("timezone", "Australia/Lord_Howe"),
        ("timezone", "<+03>-03"),
        ("client_encoding", "SQL_ASCII"),
        ("client_encoding", "LATIN1"),
        ("standard_conforming_strings", "off"),
        ("bytea_output", "escape"),
        ("search_path", ""),
        ("extra_float_digits", "-15"),
    ],
)
def test_row_reads_the_same_whatever_the_file_sets(
    engine: Engine, write: Callable[..., Path], name: str, value: str
) -> None:
    script = f"SELECT set_config('{name}', '{value}', false);"
    directory = write({"0001_é.up.sql": script, "0001_é.down.sql": script})
    done = engine.migrate(directory)

    assert [(row.version, row.name) for row in done] == [("0001", "é")]
    assert done == engine.rows()
    assert engine.rollback(directory) == done


def test_script_arrives_whole_in_a_database_of_another_encoding(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection, dsn: str
) -> None:
    from psycopg.conninfo import make_conninfo

    name = sql.Identifier(f"{conn.info.dbname}_latin1")
    conn.execute(
        sql.SQL(
            "CREATE DATABASE {} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"
        ).format(name)
    )
    try:
        latin = make_conninfo(dsn, dbname=f"{conn.info.dbname}_latin1")
        Engine(replace(engine.target, dsn=latin)).migrate(
            write({"0001_é.up.sql": "CREATE TABLE seen AS SELECT length('éß') AS length;"})
        )
        with psycopg.connect(latin) as look:
            seen = look.execute("SELECT length, name FROM seen, tb_confiture").fetchall()
        assert seen == [(2, "é")]
    finally:
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
