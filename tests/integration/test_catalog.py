"""A snapshot holds what migrations can change, and compares."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
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
    "table": (
        "public.tb_confiture",
        "public.tb_confiture_files",
        "shop.orders",
        "shop.orders_1",
        "shop.users",
    ),
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
    "grant": "GRANT SELECT ON t TO public",
    "grant option": "GRANT UPDATE ON t TO pg_monitor WITH GRANT OPTION",
    "grant on a column": "GRANT SELECT (a) ON t TO public",
    "grant on a schema": "GRANT USAGE ON SCHEMA other TO public",
    "grant on a sequence": "GRANT USAGE ON SEQUENCE s TO public",
    "revoked from public": "REVOKE EXECUTE ON FUNCTION f() FROM public",
    "revoked from the owner": "REVOKE DELETE ON t FROM current_user",
    "default privileges": "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO public",
    "default privileges of a schema": (
        "ALTER DEFAULT PRIVILEGES IN SCHEMA other GRANT SELECT ON TABLES TO public"
    ),
    "comment": "COMMENT ON TABLE t IS 'x'",
    "comment on a column": "COMMENT ON COLUMN t.a IS 'x'",
    "comment on a function": "COMMENT ON FUNCTION f() IS 'x'",
    "comment on an index": "COMMENT ON INDEX indexed_a IS 'x'",
    "comment on a schema": "COMMENT ON SCHEMA public IS 'x'",
    "publication": "CREATE PUBLICATION second",
    "published table": "ALTER PUBLICATION first ADD TABLE parent",
    "published action": "ALTER PUBLICATION first SET (publish = 'insert')",
    "event trigger": "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION on_ddl()",
    "extended statistics": "CREATE STATISTICS x (ndistinct) ON a, w FROM t",
    "target of extended statistics": "ALTER STATISTICS known SET STATISTICS 50",
    "cast": "CREATE CAST (e AS int) WITH FUNCTION number(e) AS ASSIGNMENT",
    "collation": 'CREATE COLLATION mine FROM "C"',
    "operator": "CREATE OPERATOR === (leftarg = int, rightarg = int, procedure = int4eq)",
    "operator class": (
        "CREATE OPERATOR CLASS mine FOR TYPE int USING btree AS FUNCTION 1 btint4cmp(int, int)"
    ),
    "text search": "CREATE TEXT SEARCH CONFIGURATION mine (copy = simple)",
    "dictionary": "CREATE TEXT SEARCH DICTIONARY mine (template = simple)",
    "foreign server": "CREATE SERVER far FOREIGN DATA WRAPPER wrapper",
    "foreign server option": "ALTER SERVER near OPTIONS (ADD host 'x')",
    "user mapping": "CREATE USER MAPPING FOR public SERVER near",
    "foreign table option": "ALTER FOREIGN TABLE remote OPTIONS (ADD path 'x')",
    "statistics of a column": "ALTER TABLE t ALTER a SET STATISTICS 7",
    "option of a column": "ALTER TABLE t ALTER a SET (n_distinct = 3)",
    "storage of a column": "ALTER TABLE t ALTER w SET STORAGE external",
    "owner of a sequence": "ALTER SEQUENCE s OWNED BY t.a",
    "toast option": "ALTER TABLE t SET (toast.autovacuum_enabled = false)",
    "clustered index": "ALTER TABLE t CLUSTER ON indexed_a",
    "triggers of a foreign key": "ALTER TABLE child DISABLE TRIGGER ALL",
    "constraint of a domain": "ALTER DOMAIN d ADD CHECK (VALUE > 0) NOT VALID",
    "roles of a policy": "ALTER POLICY p ON t TO pg_monitor",
    "enabled trigger": "ALTER TABLE t ENABLE ALWAYS TRIGGER g",
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
    CREATE SCHEMA other;
    CREATE INDEX indexed_a ON t (a);
    CREATE TABLE key (id int PRIMARY KEY);
    CREATE TABLE child (id int REFERENCES key);
    CREATE PUBLICATION first FOR TABLE key;
    CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
    CREATE FUNCTION number(e) RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE STATISTICS known ON a, w FROM t;
    CREATE FOREIGN DATA WRAPPER wrapper;
    CREATE SERVER near FOREIGN DATA WRAPPER wrapper;
    CREATE FOREIGN TABLE remote (a int) SERVER near;
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


def test_right_that_is_given_and_taken_back_leaves_nothing(conn: psycopg.Connection) -> None:
    conn.execute(BEFORE.encode())
    before = take_snapshot(conn)
    conn.execute("GRANT SELECT ON t TO public; REVOKE SELECT ON t FROM public")
    conn.execute("REVOKE EXECUTE ON FUNCTION f() FROM public")
    conn.execute("GRANT EXECUTE ON FUNCTION f() TO public")

    assert take_snapshot(conn) == before


def test_same_thing_done_twice_gives_the_same_definitions(
    conn: psycopg.Connection, new_database: Callable[[], str]
) -> None:
    """Nothing that PostgreSQL numbers, such as an object identifier, shows."""
    skipped = {"range subtype", "dictionary"}
    with psycopg.connect(new_database(), autocommit=True) as other:
        other.execute("CREATE TABLE moves_the_counter (); DROP TABLE moves_the_counter")
        for connection in (conn, other):
            connection.execute(BEFORE.encode())
            for change in (sql for name, sql in CHANGES.items() if name not in skipped):
                with suppress(psycopg.Error):
                    connection.execute(change.encode())
        assert take_snapshot(conn) == take_snapshot(other)


def test_ledger_and_what_stands_beside_it_can_be_left_out(conn: psycopg.Connection) -> None:
    before = take_snapshot(conn)
    conn.execute(
        """
        CREATE TABLE done (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int CHECK (n > 0));
        CREATE TABLE done_journal (id serial PRIMARY KEY);
        CREATE INDEX elsewhere_named ON done_journal (id);
        COMMENT ON COLUMN done.n IS 'x';
        COMMENT ON INDEX elsewhere_named IS 'x';
        GRANT SELECT ON done TO public;
        CREATE SCHEMA other;
        CREATE TABLE other.done (id int);
        CREATE TABLE done2 (id int);
        """
    )
    new = set(take_snapshot(conn, ledger=("public", "done")).objects) - set(before.objects)

    assert {each.name for each in new if each.kind != "column"} == {
        "other",
        "other.done",
        "public.done2",
    }


def test_default_privileges_of_the_migrating_role_compare(conn: psycopg.Connection) -> None:
    conn.execute("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO public")

    (name,) = take_snapshot(conn, migrators=(conn.info.user,)).names("default privileges")

    assert name == "of the migrating role on tables"


def test_columns_know_their_place(conn: psycopg.Connection) -> None:
    conn.execute(
        "CREATE TABLE t (a int, b int, c int); ALTER TABLE t DROP b; ALTER TABLE t ADD b int"
    )
    columns = [each for each in take_snapshot(conn).objects if each.kind == "column"]

    assert {each.name: each.place for each in columns} == {
        "public.t.a": 1,
        "public.t.c": 3,
        "public.t.b": 4,
    }


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
