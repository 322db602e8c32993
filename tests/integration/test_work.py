"""What `work_of` says of a statement is what a server does: its locks and its rewrites."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql as names
from psycopg.conninfo import make_conninfo

from confiture_flows.postgres import Server
from confiture_flows.sql.operations import operations_of
from confiture_flows.sql.parts import LockMode
from confiture_flows.sql.work import work_of

SCHEMA = """
CREATE TABLE users (id bigint PRIMARY KEY, email text, born date, age int);
CREATE UNIQUE INDEX users_email ON users (email);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, note varchar(20), paid bool);
ALTER TABLE orders ADD CONSTRAINT orders_unchecked CHECK (id > 0) NOT VALID;
ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users NOT VALID;
INSERT INTO users VALUES (1, 'a@example.org', NULL, 3);
INSERT INTO orders VALUES (1, 1, 'x', true);
CREATE TABLE events (id bigint, at date) PARTITION BY RANGE (at);
CREATE TABLE events_old PARTITION OF events FOR VALUES FROM ('2000-01-01') TO ('2001-01-01');
CREATE TABLE events_new (id bigint, at date);
CREATE TABLE child (LIKE orders INCLUDING CONSTRAINTS INCLUDING INDEXES);
CREATE VIEW adults AS SELECT id FROM users WHERE age > 17;
CREATE MATERIALIZED VIEW counts AS SELECT age, count(*) FROM users GROUP BY age;
CREATE UNIQUE INDEX counts_age ON counts (age);
CREATE SEQUENCE numbers;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touched BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
CREATE POLICY own ON users USING (true);
"""

# Each of these can run in a transaction, where its locks stay to be looked at.
TRANSACTIONAL = [
    "ALTER TABLE users ADD COLUMN x int",
    "ALTER TABLE users ADD COLUMN x int DEFAULT 7",
    "ALTER TABLE users ADD COLUMN x timestamptz NOT NULL DEFAULT now()",
    "ALTER TABLE users ADD COLUMN x float8 DEFAULT random()",
    "ALTER TABLE users ADD COLUMN x uuid DEFAULT gen_random_uuid()",
    "ALTER TABLE users ADD COLUMN x timestamptz DEFAULT clock_timestamp()",
    "ALTER TABLE users ADD COLUMN x bigserial",
    "ALTER TABLE users ADD COLUMN x int GENERATED ALWAYS AS IDENTITY",
    "ALTER TABLE users ADD COLUMN x int GENERATED ALWAYS AS (age + 1) STORED",
    "ALTER TABLE users ADD COLUMN x text[] DEFAULT ARRAY[]::text[]",
    "ALTER TABLE users ADD COLUMN x bigint REFERENCES orders (id)",
    "ALTER TABLE users DROP COLUMN born",
    "ALTER TABLE users ALTER COLUMN age SET DEFAULT 3",
    "ALTER TABLE users ALTER COLUMN age DROP DEFAULT",
    "ALTER TABLE users ALTER COLUMN age SET NOT NULL",
    "LOCK TABLE users",
    "ALTER TABLE users ALTER COLUMN age SET STATISTICS 100",
    "ALTER TABLE users ALTER COLUMN age SET (n_distinct = 5)",
    "ALTER TABLE users ALTER COLUMN email SET STORAGE external",
    "ALTER TABLE users ADD CHECK (age > 0)",
    "ALTER TABLE users ADD CHECK (age > 0) NOT VALID",
    "ALTER TABLE users ADD UNIQUE (age)",
    "ALTER TABLE users ADD CONSTRAINT e UNIQUE USING INDEX users_email",
    "ALTER TABLE users ADD EXCLUDE USING btree (age WITH =)",
    "ALTER TABLE orders ADD FOREIGN KEY (id) REFERENCES users (id)",
    "ALTER TABLE orders ADD FOREIGN KEY (id) REFERENCES users (id) NOT VALID",
    "ALTER TABLE orders VALIDATE CONSTRAINT orders_unchecked",
    "ALTER TABLE orders DROP CONSTRAINT orders_unchecked",
    "ALTER TABLE users SET (fillfactor = 70)",
    "ALTER TABLE users RESET (fillfactor)",
    "ALTER TABLE child SET UNLOGGED",
    "ALTER TABLE users DISABLE TRIGGER touched",
    "ALTER TABLE users ENABLE TRIGGER ALL",
    "ALTER TABLE users ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE users REPLICA IDENTITY FULL",
    "ALTER TABLE users CLUSTER ON users_email",
    "ALTER TABLE users OWNER TO CURRENT_USER",
    "ALTER TABLE users RENAME TO people",
    "ALTER TABLE users RENAME COLUMN age TO years",
    "ALTER TABLE orders RENAME CONSTRAINT orders_unchecked TO positive",
    "ALTER INDEX users_email RENAME TO users_mail",
    "ALTER TABLE events ATTACH PARTITION events_new FOR VALUES FROM ('2002-1-1') TO ('2003-1-1')",
    "ALTER TABLE events DETACH PARTITION events_old",
    "ALTER TABLE child INHERIT orders",
    "ALTER SEQUENCE numbers RESTART",
    "CREATE INDEX i ON users (age)",
    "CREATE TABLE t (id bigint REFERENCES users)",
    "CREATE TABLE t PARTITION OF events FOR VALUES FROM ('2004-01-01') TO ('2005-01-01')",
    "CREATE TABLE t () INHERITS (users)",
    "CREATE TABLE t AS SELECT * FROM users",
    "CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION touch()",
    "CREATE POLICY p ON users USING (true)",
    "ALTER POLICY own ON users USING (false)",
    "CREATE RULE r AS ON DELETE TO users DO INSTEAD NOTHING",
    "CREATE STATISTICS s ON age, born FROM users",
    "CREATE VIEW v AS SELECT * FROM users",
    "CREATE OR REPLACE VIEW adults AS SELECT id FROM users",
    "COMMENT ON TABLE users IS 'people'",
    "COMMENT ON COLUMN users.age IS 'years'",
    "DROP TABLE child",
    "DROP VIEW adults",
    "DROP TRIGGER touched ON users",
    "DROP POLICY own ON users",
    "TRUNCATE orders",
    "LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE",
    "REINDEX TABLE users",
    "REFRESH MATERIALIZED VIEW counts",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY counts",
    "CLUSTER users USING users_email",
    "ANALYZE users",
    "INSERT INTO orders SELECT id FROM child",
    "UPDATE users SET age = 3",
    "DELETE FROM orders WHERE id = 7",
    "SELECT * FROM orders FOR UPDATE",
    "SELECT * FROM orders",
    "DO $$ BEGIN ALTER TABLE users ADD COLUMN x int; END $$",
]
_LOCKS = """
SELECT c.relname, l.mode FROM pg_locks l JOIN before c ON c.oid = l.relation
WHERE l.pid = %s AND l.locktype = 'relation' AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
"""
# Tables and what is laid out like one, as they were, whatever a statement makes of their names.
_BEFORE = """
CREATE TEMPORARY TABLE before AS SELECT oid, relname, relkind, pg_relation_filenode(oid) AS filenode
FROM pg_class WHERE relnamespace = 'public'::regnamespace
"""
_WRITTEN_ANEW = """
SELECT relname FROM before WHERE relkind IN ('r', 'm')
AND filenode <> pg_relation_filenode(oid)
AND EXISTS (SELECT FROM pg_class c WHERE c.oid = before.oid)
"""
_MODES = {mode.value.title().replace(" ", "") + "Lock": mode for mode in LockMode}


def said_locks(sql: str, *, kinds: tuple[str, ...] = ("table",)) -> dict[str, LockMode]:
    """The strongest lock a table, as `work_of` says it."""
    found: dict[str, LockMode] = {}
    for operation in operations_of(sql):
        for lock in work_of(operation).locks:
            known = found.get(lock.name.name)
            stronger = known is None or lock.mode.strength > known.strength
            if lock.object_kind in kinds and stronger:
                found[lock.name.name] = lock.mode
    return found


def strongest(rows: list[tuple[str, str]]) -> dict[str, LockMode]:
    """The strongest lock a table, as the server says it."""
    found: dict[str, LockMode] = {}
    for name, mode in rows:
        lock = _MODES[mode]
        if name not in found or lock.strength > found[name].strength:
            found[name] = lock
    return found


@pytest.fixture(scope="module")
def shop(server: Server) -> Iterator[psycopg.Connection]:
    """A session on a database with the schema, for tests that take everything back."""
    name = names.Identifier(f"confiture_work_{os.getpid()}")
    with psycopg.connect(server.dsn, autocommit=True) as admin:
        admin.execute(names.SQL("CREATE DATABASE {}").format(name))
        dsn = make_conninfo(server.dsn, dbname=f"confiture_work_{os.getpid()}")
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(SCHEMA.encode())
            connection.execute(_BEFORE.encode())
            yield connection
        admin.execute(names.SQL("DROP DATABASE {}").format(name))


@pytest.mark.parametrize("sql", TRANSACTIONAL)
def test_locks_and_rewrites_are_those_of_the_server(sql: str, shop: psycopg.Connection) -> None:
    with shop.transaction(force_rollback=True):
        shop.execute(sql.encode())
        rows = shop.execute(_LOCKS, [shop.info.backend_pid]).fetchall()
        rewritten = shop.execute(_WRITTEN_ANEW.encode()).fetchall()
    said = said_locks(sql)
    really = strongest(rows)
    assert {name: mode for name, mode in really.items() if name in said} == said
    # What is not said is not in anybody's way.
    more = {name: mode for name, mode in really.items() if name not in said}
    assert all(mode.strength <= LockMode.SHARE_UPDATE_EXCLUSIVE.strength for mode in more.values())
    if not sql.startswith("TRUNCATE"):
        works = [work_of(each) for each in operations_of(sql)]
        assert any(work.rewrites for work in works) is bool(rewritten)


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ("CREATE INDEX CONCURRENTLY i ON users (age)", "users"),
        ("DROP INDEX CONCURRENTLY users_email", "users"),
        ("REINDEX TABLE CONCURRENTLY users", "users"),
        ("REINDEX INDEX CONCURRENTLY users_email", "users"),
        ("VACUUM FULL users", "users"),
    ],
)
def test_locks_of_what_runs_outside_of_transactions(
    sql: str, table: str, conn: psycopg.Connection, other: psycopg.Connection, dsn: str
) -> None:
    conn.execute(SCHEMA.encode())
    conn.execute(_BEFORE.encode())
    other.execute("LOCK users, events IN ROW EXCLUSIVE MODE")  # for which each of them waits
    with psycopg.connect(dsn, autocommit=True) as worker:
        worker.execute("SET statement_timeout = '20s'")
        thread = threading.Thread(target=worker.execute, args=[sql.encode()])
        thread.start()
        modes: set[LockMode] = set()
        deadline = time.monotonic() + 10
        while not modes and time.monotonic() < deadline:
            rows = conn.execute(_LOCKS, [worker.info.backend_pid]).fetchall()
            modes = {_MODES[mode] for name, mode in rows if name == table}
        other.rollback()
        thread.join()
    said = said_locks(sql, kinds=("table", "table of"))
    assert {said.get(table) or said["users_email"]} == modes
