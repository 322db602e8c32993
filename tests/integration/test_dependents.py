"""What CF43 says PostgreSQL refuses to drop, it refuses, and nothing else, by files and live."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import yaml

from confiture_flows.lint.live import read_live
from confiture_flows.lint.registry import own_rules
from confiture_flows.lint.runner import lint_migrations
from confiture_flows.migrations.discovery import discover
from confiture_flows.report.finding import Severity

RULE = next(each for each in own_rules() if each.code == "CF43")
TABLE = yaml.safe_load((Path(__file__).parents[1] / "rules" / "CF43.yml").read_text())
SCRIPTS = [
    (case.get("before", TABLE["before"]), case["sql"])
    for kind in ("fail", "pass")
    for case in TABLE[kind]
]
# What the cases of the rule are not about.
MORE = """
CREATE TABLE t (a int PRIMARY KEY, b int, c text, d int CHECK (d > 0), e int);
CREATE INDEX ON t (c);
CREATE DOMAIN low AS int CHECK (VALUE < 9);
CREATE DOMAIN lower AS low;
CREATE TYPE pair AS (x int, y int);
CREATE FUNCTION all_of() RETURNS SETOF t LANGUAGE plpgsql AS 'BEGIN RETURN; END';
CREATE FUNCTION of_pair(pair) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION called() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION checked(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE TABLE u (a int CHECK (checked(a)), b int);
CREATE TABLE alone (a int, b int, c int);
CREATE INDEX alone_a ON alone ((a + called()));
CREATE POLICY p ON u USING (a IN (SELECT t.a FROM t));
CREATE VIEW star AS SELECT alone.*, (SELECT max(e) FROM t) AS e FROM alone;
CREATE VIEW by_cte AS WITH few AS (SELECT b AS z FROM u) SELECT z FROM few;
ALTER TABLE alone ADD COLUMN later int;
"""
SCRIPTS += [
    (MORE, sql)
    for sql in (
        "DROP TABLE t",
        "DROP TABLE u",
        "DROP TABLE alone",
        "DROP VIEW by_cte",
        "DROP TYPE pair",
        "DROP DOMAIN low",
        "DROP DOMAIN lower",
        "DROP FUNCTION all_of()",
        "DROP FUNCTION called()",
        "DROP FUNCTION checked(int)",
        "DROP FUNCTION of_pair",
        *(f"ALTER TABLE t DROP COLUMN {column}" for column in "bcde"),
        "ALTER TABLE u DROP COLUMN b",
        "ALTER TABLE alone DROP COLUMN c",
        "ALTER TABLE alone DROP COLUMN later",
        "DROP VIEW star; ALTER TABLE alone DROP COLUMN c",
        "DROP VIEW star CASCADE; DROP TABLE alone; DROP FUNCTION called()",
    )
]


@pytest.mark.parametrize(("before", "sql"), SCRIPTS, ids=[sql for _, sql in SCRIPTS])
def test_rule_says_what_the_server_does(
    before: str, sql: str, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    conn.execute(before.encode())
    live = read_live(conn, "tb_confiture").state
    migrations = discover(write({"1_before.up.sql": before, "2_drop.up.sql": sql})).migrations
    by_files = lint_migrations(migrations, only=frozenset(("2",)), rules=(RULE,)).findings
    by_database = lint_migrations(migrations[1:], start=live, rules=(RULE,)).findings
    try:
        with conn.transaction():
            conn.execute(sql.encode())
    except psycopg.errors.DependentObjectsStillExist as error:
        refused = str(error)
    else:
        refused = ""
    for found in (by_files, by_database):
        said = [each.message for each in found if each.severity is Severity.ERROR]
        assert bool(said) is bool(refused), f"{said} but {refused}"
