"""Each catalog rule on a database with something wrong beside something right."""

from __future__ import annotations

import psycopg
import pytest

from confiture_flows.anonymization.source import read_source
from confiture_flows.lint.catalog_judging import judge_catalog
from confiture_flows.lint.catalog_rule import all_catalog_rules
from confiture_flows.lint.live import SIZES, read_live, read_sizes
from confiture_flows.sql.parts import ObjectName

GOOD = """
CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text UNIQUE);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint CONSTRAINT owner REFERENCES users);
CREATE INDEX orders_user ON orders (user_id);
CREATE TABLE notes (id bigint PRIMARY KEY, owner text);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (owner = current_user);
CREATE FUNCTION safe() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT 1';
INSERT INTO users (email) SELECT n::text FROM generate_series(1, 10000) n;
INSERT INTO orders SELECT n, n FROM generate_series(1, 10000) n;
ANALYZE;
"""
BAD = {
    "CFD1": "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'orders_user'::regclass",
    "CFD2": "CREATE INDEX big ON orders ((id::text || repeat('x', 100)))",
    "CFD3": 'CREATE INDEX "Again" ON users (email)',
    "CFD4": "DROP INDEX orders_user",
    "CFD5": "CREATE TABLE few (id smallserial PRIMARY KEY); SELECT setval('few_id_seq', 30000)",
    "CFD6": "ALTER TABLE orders ADD CONSTRAINT c CHECK (id > 0) NOT VALID",
    "CFD7": "ALTER TABLE notes DISABLE ROW LEVEL SECURITY",
    "CFD8": "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
    "CFD9": 'CREATE TABLE "No Key" (id int)',
    "CFDA": "CREATE SCHEMA open; GRANT CREATE ON SCHEMA open TO PUBLIC",
    "CFDB": "CREATE TABLE wide AS SELECT n FROM generate_series(1, 600000) n;"
    "ALTER TABLE wide ADD PRIMARY KEY (n);"
    "DELETE FROM wide WHERE n % 50 > 0; ANALYZE wide; UPDATE pg_class SET reltuples = 12000"
    " WHERE relname = 'wide_pkey'",
    "CFDC": "CREATE INDEX longer ON orders (user_id, id)",
    "CFDD": "CREATE TABLE few (id bigint PRIMARY KEY, user_id int REFERENCES users)",
    "CFDE": "CREATE VIEW seen AS SELECT notes.id FROM notes, users",
    "CFDF": "ALTER TABLE users ENABLE ROW LEVEL SECURITY",
    "CFDG": "CREATE POLICY open ON notes USING (true)",
    "CFDH": "GRANT SELECT, INSERT ON notes TO PUBLIC",
    "CFDI": 'CREATE UNLOGGED TABLE "Fast" (id bigint PRIMARY KEY)',
    "CFDJ": "CREATE TABLE keys (a int, b int, c int, d int, e int, PRIMARY KEY (a, b, c, d, e))",
    "CFDK": "CREATE TABLE padded (a bool, id bigint PRIMARY KEY, b bool, at timestamptz, c text);"
    "UPDATE pg_class SET reltuples = 2000000 WHERE relname = 'padded'",
    "CFDL": "CREATE TABLE forgotten (id bigint PRIMARY KEY);"
    "GRANT SELECT ON forgotten TO pg_monitor",
}


@pytest.fixture
def shop(conn: psycopg.Connection) -> psycopg.Connection:
    conn.execute(GOOD.encode())
    return conn


def test_nothing_is_wrong_with_what_is_right(shop: psycopg.Connection) -> None:
    found = [each.code for each in judge_catalog(shop)]
    assert [code for code in found if code != "CFD2"] == []  # nobody has read an index yet


@pytest.mark.parametrize("code", sorted(BAD))
def test_rule_finds_what_is_wrong(code: str, shop: psycopg.Connection) -> None:
    before = [each for each in judge_catalog(shop) if each.code == code]
    shop.execute(BAD[code].encode())
    found = [each for each in judge_catalog(shop) if each.code == code]
    assert len(found) == len(before) + 1
    assert all(each.next_step for each in found)


def test_each_rule_is_tested() -> None:
    assert [rule.code for rule in all_catalog_rules() if rule.query] == sorted(BAD)


def test_no_lock_above_access_share_is_taken(shop: psycopg.Connection) -> None:
    with shop.transaction():
        for rule in all_catalog_rules():
            shop.execute((rule.query or "").encode())
        modes = shop.execute(
            "SELECT DISTINCT mode FROM pg_locks WHERE pid = pg_backend_pid()"
            " AND locktype = 'relation'"
        ).fetchall()
    assert modes == [("AccessShareLock",)]


def test_sizes_are_those_of_the_planner_and_of_partitions(conn: psycopg.Connection) -> None:
    conn.execute(
        b"CREATE TABLE p (a int) PARTITION BY LIST (a);"
        b"CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);"
        b"CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);"
        b"INSERT INTO p SELECT 1 + n % 2 FROM generate_series(1, 1000) n; ANALYZE;"
        b"CREATE TABLE nothing (a int, b text);"
        b"CREATE TABLE fresh AS SELECT generate_series(1, 1000)"
    )
    sizes = read_sizes(conn, "tb_confiture")
    partitioned = sizes.tables[ObjectName("public", "p")]
    assert partitioned.rows == 1000
    assert sizes.tables[ObjectName("public", "fresh")].rows > 0  # never analyzed
    assert sizes.tables[ObjectName("public", "nothing")].bytes == 0
    # The server has not counted for an hour, so it does not say how often.
    assert partitioned.writes_per_second is None


def test_writes_are_those_since_the_server_counts(conn: psycopg.Connection) -> None:
    conn.execute(b"CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 1000)")
    conn.execute("SELECT pg_stat_force_next_flush()")
    conn.execute("SELECT 1")
    row = conn.execute(SIZES + " HAVING c.relname = 't'", {"locked": []}).fetchone()
    assert row is not None
    *_, writes, seconds = row
    assert writes == 1000
    assert 0 < seconds < 86_400


def test_size_of_a_locked_table_is_unknown_and_not_waited_for(conn: psycopg.Connection) -> None:
    conn.execute(
        b"CREATE TABLE busy AS SELECT 1 AS a; CREATE INDEX busy_a ON busy (a);"
        b"CREATE TABLE idle (a int);"
        b"CREATE TABLE p (a int) PARTITION BY LIST (a);"
        b"CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)"
    )
    dsn, password = conn.info.dsn, conn.info.password
    with psycopg.connect(dsn, password=password) as other:
        other.execute("LOCK TABLE busy, p1; REINDEX INDEX busy_a")
        live = read_live(conn, "tb_confiture", wait_ms=50)
        told = [each.message for each in judge_catalog(conn, wait_ms=50)]
        source = read_source(conn, wait_ms=50)
    sizes = live.statistics
    assert set(map(str, sizes.locked)) == {"public.busy", "public.p", "public.p1"}
    assert [str(each) for each in sizes.tables] == ["public.idle"]
    assert source.locked >= {("public", "busy"), ("public", "p1")}
    assert {str(each) for each in source.tables} == {"public.busy", "public.idle", "public.p1"}
    assert "CFD2 could not be asked: another session keeps a table locked." in told
    assert live.state is None  # the bounds of a partition wait for it
