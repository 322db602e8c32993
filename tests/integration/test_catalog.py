"""A snapshot holds what migrations can change, and compares."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from confiture_flows.catalog.model import Catalog
from confiture_flows.catalog.snapshot import take_snapshot

from .conftest import Engine

EVERYTHING = {
    "0001_base.up.sql": """
        CREATE SCHEMA shop;
        CREATE TYPE shop.mood AS ENUM ('good', 'bad');
        CREATE DOMAIN shop.email AS text CHECK (VALUE LIKE '%@%');
        CREATE TYPE shop.pair AS (a int, b text);
        CREATE TYPE shop.span AS RANGE (subtype = float8);
        CREATE SEQUENCE shop.counter START 5;
        CREATE TABLE shop.users (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            email shop.email UNIQUE,
            mood shop.mood NOT NULL DEFAULT 'good',
            full_name text,
            shout text GENERATED ALWAYS AS (upper(full_name)) STORED
        );
        CREATE TABLE shop.orders (
            id int DEFAULT nextval('shop.counter'),
            user_id bigint REFERENCES shop.users ON DELETE CASCADE,
            total numeric(10, 2) CHECK (total >= 0)
        ) PARTITION BY RANGE (id);
        CREATE TABLE shop.orders_1 PARTITION OF shop.orders FOR VALUES FROM (0) TO (100);
        CREATE INDEX orders_user ON shop.orders (user_id) WHERE total > 5;
    """,
    "0001_base.down.sql": """
        DROP TABLE shop.orders;
        DROP TABLE shop.users;
        DROP SEQUENCE shop.counter;
        DROP TYPE shop.span;
        DROP TYPE shop.pair;
        DROP DOMAIN shop.email;
        DROP TYPE shop.mood;
        DROP SCHEMA shop;
    """,
    "0002_logic.up.sql": """
        CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RETURN NEW; END $$;
        CREATE PROCEDURE shop.clean(days int) LANGUAGE sql AS
            $$ DELETE FROM shop.orders WHERE id < days $$;
        CREATE AGGREGATE shop.total (numeric) (sfunc = numeric_add, stype = numeric);
        CREATE TRIGGER touch BEFORE UPDATE ON shop.users
            FOR EACH ROW EXECUTE FUNCTION shop.touch();
        CREATE VIEW shop.totals AS
            SELECT user_id, sum(total) AS total FROM shop.orders GROUP BY user_id;
        CREATE MATERIALIZED VIEW shop.cached AS SELECT * FROM shop.totals;
        CREATE UNIQUE INDEX cached_user ON shop.cached (user_id);
        ALTER TABLE shop.users ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON shop.users FOR SELECT USING (mood = 'good');
    """,
    "0002_logic.down.sql": """
        DROP POLICY own ON shop.users;
        ALTER TABLE shop.users DISABLE ROW LEVEL SECURITY;
        DROP MATERIALIZED VIEW shop.cached;
        DROP VIEW shop.totals;
        DROP TRIGGER touch ON shop.users;
        DROP AGGREGATE shop.total (numeric);
        DROP PROCEDURE shop.clean;
        DROP FUNCTION shop.touch;
    """,
}
NAMES = {
    "schema": ("public", "shop"),
    "table": ("public.tb_confiture", "shop.orders", "shop.orders_1", "shop.users"),
    "view": ("shop.totals",),
    "materialized view": ("shop.cached",),
    "composite type": ("shop.pair",),
    "function": ("shop.clean(IN days integer)", "shop.total(numeric)", "shop.touch()"),
    "trigger": ("shop.users.touch",),
    "policy": ("shop.users.own",),
    "type": ("shop.email", "shop.mood", "shop.span"),
}


def without_ledger(catalog: Catalog) -> Catalog:
    return Catalog(tuple(each for each in catalog.objects if "tb_confiture" not in each.name))


def test_up_then_down_gives_the_same_snapshot(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    directory = write(EVERYTHING)
    empty = take_snapshot(conn)
    engine.migrate(directory, "0001")
    half = take_snapshot(conn)

    engine.migrate(directory)
    assert take_snapshot(conn) != half
    engine.rollback(directory)
    assert take_snapshot(conn) == half
    engine.rollback(directory)

    assert without_ledger(take_snapshot(conn)) == empty


def test_same_migrations_give_the_same_snapshot(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    directory = write(EVERYTHING)
    engine.migrate(directory)
    first = take_snapshot(conn)
    engine.rollback(directory, "zero")
    engine.migrate(directory)

    assert take_snapshot(conn) == first


@pytest.mark.parametrize("kind", NAMES)
def test_snapshot_names_the_objects(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection, kind: str
) -> None:
    engine.migrate(write(EVERYTHING))

    assert take_snapshot(conn).names(kind) == NAMES[kind]


CHANGES = {
    "column type": "ALTER TABLE t ALTER a TYPE bigint",
    "not null": "ALTER TABLE t ALTER a SET NOT NULL",
    "default": "ALTER TABLE t ALTER a SET DEFAULT 7",
    "new column": "ALTER TABLE t ADD b int",
    "renamed column": "ALTER TABLE t RENAME a TO b",
    "check": "ALTER TABLE t ADD CHECK (a > 0)",
    "validated": "ALTER TABLE t VALIDATE CONSTRAINT later",
    "index": "CREATE INDEX ON t (a)",
    "enum value": "ALTER TYPE e ADD VALUE 'c'",
    "function body": "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'",
    "function overload": "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 2'",
    "view": "CREATE OR REPLACE VIEW v AS SELECT 2 AS x",
    "view option": "ALTER VIEW v SET (security_barrier = true)",
    "row security": "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
    "forced row security": "ALTER TABLE t FORCE ROW LEVEL SECURITY",
    "policy": "ALTER POLICY p ON t USING (false)",
    "storage option": "ALTER TABLE t SET (fillfactor = 70)",
    "unlogged": "ALTER TABLE t SET UNLOGGED",
    "partition bound": "ALTER TABLE parted DETACH PARTITION part",
    "trigger disabled": "ALTER TABLE t DISABLE TRIGGER g",
    "domain default": "ALTER DOMAIN d SET DEFAULT 5",
    "domain not null": "ALTER DOMAIN d SET NOT NULL",
    "sequence step": "ALTER SEQUENCE s INCREMENT 5",
    "replica identity": "ALTER TABLE t REPLICA IDENTITY FULL",
    "aggregate": "CREATE OR REPLACE AGGREGATE g(int) (sfunc = int4pl, stype = int, initcond = '9')",
    "range subtype": "DROP TYPE r; CREATE TYPE r AS RANGE (subtype = int4)",
    "rule": "CREATE RULE nothing AS ON DELETE TO t DO INSTEAD NOTHING",
    "collation of a column": 'ALTER TABLE t ALTER w TYPE text COLLATE "POSIX"',
    "inherited": "ALTER TABLE t INHERIT parent",
}
BEFORE = """
    CREATE TABLE t (a int, w text COLLATE "C");
    ALTER TABLE t ADD CONSTRAINT later CHECK (a < 100) NOT VALID;
    CREATE TYPE e AS ENUM ('a', 'b');
    CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION trig() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION trig();
    CREATE VIEW v AS SELECT 1 AS x;
    CREATE POLICY p ON t USING (true);
    CREATE TABLE parted (a int) PARTITION BY LIST (a);
    CREATE TABLE part PARTITION OF parted FOR VALUES IN (1);
    CREATE DOMAIN d AS int;
    CREATE SEQUENCE s;
    CREATE AGGREGATE g(int) (sfunc = int4pl, stype = int, initcond = '0');
    CREATE TYPE r AS RANGE (subtype = int8);
    CREATE TABLE parent (a int, w text COLLATE "C");
"""


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_change_shows_in_the_snapshot(conn: psycopg.Connection, change: str) -> None:
    conn.execute(BEFORE.encode())
    before = take_snapshot(conn)

    conn.execute(change.encode())

    assert take_snapshot(conn) != before


def test_rows_and_comments_on_them_do_not_show(conn: psycopg.Connection) -> None:
    conn.execute("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY)")
    before = take_snapshot(conn)
    conn.execute("INSERT INTO t DEFAULT VALUES")

    assert take_snapshot(conn) == before


def test_extension_is_one_object(conn: psycopg.Connection) -> None:
    before = take_snapshot(conn)
    try:
        conn.execute("CREATE EXTENSION citext")
    except psycopg.errors.FeatureNotSupported:
        pytest.skip("this server has no citext")

    new = set(take_snapshot(conn).objects) - set(before.objects)

    assert [(each.kind, each.name) for each in new] == [("extension", "citext")]


def test_snapshot_leaves_search_path_and_transaction_alone(conn: psycopg.Connection) -> None:
    conn.execute("SET search_path = pg_catalog, public")
    take_snapshot(conn)

    assert conn.execute("SHOW search_path").fetchone() == ("pg_catalog, public",)
    assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
