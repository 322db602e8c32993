"""Statements that may commit by themselves, and rules that answer more than once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql as sql_names
from psycopg.conninfo import make_conninfo

from confiture_flows.config import Limits
from confiture_flows.errors import ApplyError, PartialApplyError
from confiture_flows.migrations.apply import apply_plan
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.plan import plan_forward
from confiture_flows.target import Target, connect


def migrate(target: Target, directory: Path) -> tuple[str, ...]:
    plan = plan_forward(discover(directory, as_written=True).migrations, ())
    with connect(target, "test") as conn:
        return tuple(row.version for row in apply_plan(conn, plan, limits=target.limits))


def count(conn: psycopg.Connection, table: str) -> int:
    row = conn.execute(sql_names.SQL("SELECT count(*) FROM {}").format(sql_names.Identifier(table)))
    found = row.fetchone()
    return found[0] if found else -1


@pytest.mark.parametrize(
    "failure",
    ["RAISE EXCEPTION 'no' USING ERRCODE = '40001'", "LOCK TABLE busy", "PERFORM 1/0"],
    ids=["serialization", "busy table", "division"],
)
def test_block_that_commits_is_run_once_and_called_half_done(
    failure: str, target: Target, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    conn.execute("CREATE TABLE log (id int); CREATE TABLE busy (id int)")
    block = f"DO $$ BEGIN INSERT INTO log VALUES (1); COMMIT; {failure}; END $$;"
    quick = replace(target, limits=Limits(lock_timeout_ms=50, busy_patience=1.0))
    with conn.transaction():
        conn.execute("LOCK TABLE busy")
        with pytest.raises(PartialApplyError, match="committed by itself stays") as caught:
            migrate(quick, write({"0001_a.up.sql": block}))
    assert not caught.value.retryable
    assert count(conn, "log") == 1


RULE = (
    "CREATE TABLE t (id int UNIQUE DEFERRABLE INITIALLY DEFERRED);\n"
    "CREATE RULE twice AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2; SELECT 3; SELECT 4);"
)


def test_rule_with_more_results_does_not_hide_the_commit(
    target: Target, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    directory = write(
        {
            "0001_rule.up.sql": RULE,
            "0002_rows.up.sql": "INSERT INTO t VALUES (1);",
            "0003_more.up.sql": "INSERT INTO t VALUES (2);\nINSERT INTO t VALUES (3);",
        }
    )
    assert migrate(target, directory) == ("0001", "0002", "0003")
    assert count(conn, "tb_confiture") == 3


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("INSERT INTO t VALUES (1);\nINSERT INTO t VALUES (2);\nSELECT 1/0;", "division"),
        ("INSERT INTO t VALUES (1);\nINSERT INTO t VALUES (1);", "duplicate key"),
    ],
    ids=["statement", "commit"],
)
def test_rule_with_more_results_does_not_hide_a_failure(
    sql: str, error: str, target: Target, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    with pytest.raises(ApplyError, match=error):
        migrate(target, write({"0001_rule.up.sql": RULE, "0002_rows.up.sql": sql}))
    assert count(conn, "t") == 0
    assert conn.execute("SELECT version FROM tb_confiture").fetchall() == [("0001",)]


def test_file_that_is_read_only_is_not_blamed_on_the_target(
    target: Target, write: Callable[..., Path]
) -> None:
    sql = "CREATE TABLE a (id int);\nSET TRANSACTION READ ONLY;"
    with pytest.raises(ApplyError, match="made its transaction read-only"):
        migrate(target, write({"0001_a.up.sql": sql}))


def test_database_without_an_encoding_works(
    target: Target, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    name = f"{conn.info.dbname}_ascii"
    conn.execute(
        sql_names.SQL(
            "CREATE DATABASE {} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'"
        ).format(sql_names.Identifier(name))
    )
    dsn = make_conninfo(target.dsn, dbname=name)
    try:
        directory = write({"0001_a.up.sql": "CREATE TABLE a (id int);\n"})
        assert migrate(replace(target, dsn=dsn), directory) == ("0001",)
    finally:
        conn.execute(
            sql_names.SQL("DROP DATABASE {} WITH (FORCE)").format(sql_names.Identifier(name))
        )
