"""A copy into the target's own tables: all rows and nothing else, or the target as it was."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from confiture_flows.anonymization.copy import copy_database
from confiture_flows.anonymization.copying.observer import CopyObserver
from confiture_flows.anonymization.copying.values import Chunk, CopyOptions
from confiture_flows.anonymization.keys import Secret
from confiture_flows.errors import ConfigError, ConfitureFlowsError, CopyError, StrategyError
from confiture_flows.target import Target
from tests.copies import plan_of, sums
from tests.integration.conftest import Role
from tests.integration.copy_strategies import MODULE

SECRET = Secret(b"0123456789abcdef")
OPTIONS = CopyOptions(batch_size=20_000, modules=(MODULE,), in_place=True)
SCHEMA = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE people (
    id serial PRIMARY KEY, email text UNIQUE, best int, feels mood[], at timestamptz,
    longer text GENERATED ALWAYS AS (email || '!') STORED,
    CONSTRAINT best_is_there FOREIGN KEY (best) REFERENCES people DEFERRABLE INITIALLY DEFERRED);
COMMENT ON CONSTRAINT best_is_there ON people IS 'of whom one thinks first';
CREATE INDEX people_at ON people USING brin (at);
CREATE INDEX people_lower ON people (lower(email) DESC) WHERE id > 5;
CREATE INDEX people_told ON people (best); COMMENT ON INDEX people_told IS 'kept';
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, who int NOT NULL REFERENCES people (id),
    feels mood, note varchar(40));
ALTER TABLE orders ADD CONSTRAINT later FOREIGN KEY (who) REFERENCES people (id) NOT VALID;
CREATE TABLE days (day date, who int REFERENCES people ON DELETE CASCADE) PARTITION BY RANGE (day);
CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE INDEX days_day ON days (day);
CREATE SEQUENCE alone INCREMENT -3;
CREATE TABLE fired (what text);
CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN INSERT INTO public.fired VALUES (TG_NAME); RETURN NEW; END';
CREATE TRIGGER usual BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION fire();
CREATE TRIGGER always AFTER INSERT ON people FOR EACH STATEMENT EXECUTE FUNCTION fire();
CREATE TRIGGER of_replicas AFTER INSERT ON people FOR EACH ROW EXECUTE FUNCTION fire();
CREATE TRIGGER of_nobody AFTER INSERT ON people FOR EACH ROW EXECUTE FUNCTION fire();
CREATE CONSTRAINT TRIGGER at_the_end AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION fire();
CREATE TRIGGER of_days BEFORE INSERT ON days FOR EACH ROW EXECUTE FUNCTION fire();
ALTER TABLE people ENABLE ALWAYS TRIGGER always;
ALTER TABLE people ENABLE REPLICA TRIGGER of_replicas;
ALTER TABLE people DISABLE TRIGGER of_nobody;
CREATE VIEW told AS SELECT id, email FROM people GROUP BY id;
"""
ROWS = """
SET session_replication_role = replica;
INSERT INTO people (email, best, feels, at)
SELECT n || '@mail.com', 12001 - n, '{ok,sad}', now() FROM generate_series(1, 12000) AS n;
INSERT INTO orders (who, feels, note)
SELECT n, 'ok', 'note ' || n FROM generate_series(1, 500) AS n;
INSERT INTO days SELECT '2020-12-01'::date + n, n FROM generate_series(1, 60) AS n;
TRUNCATE fired;
SELECT nextval('alone'), nextval('alone');
ANALYZE;
"""
CATALOG = """
SELECT 'constraint', conrelid::regclass::text, conname::text, pg_get_constraintdef(oid),
    concat_ws(',', convalidated, condeferrable, condeferred, conislocal, coninhcount,
        obj_description(oid, 'pg_constraint'))
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT 'index', indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid),
    concat_ws(',', indisvalid, indisready, indisclustered, indisreplident,
        obj_description(indexrelid, 'pg_class'))
FROM pg_index WHERE indrelid >= 16384
UNION ALL
SELECT 'trigger', t.tgrelid::regclass::text, coalesce(c.conname, t.tgname)::text,
    CASE WHEN t.tgisinternal THEN t.tgfoid::regproc::text ELSE pg_get_triggerdef(t.oid) END,
    t.tgenabled::text
FROM pg_trigger AS t LEFT JOIN pg_constraint AS c ON c.oid = t.tgconstraint
UNION ALL
SELECT 'sequence', relname::text, '', '', '' FROM pg_class WHERE relkind = 'S'
ORDER BY 1, 2, 3, 4, 5
"""
SLOW: dict[str, Any] = {"people__email": ("test-slow", {})}


@pytest.fixture
def source(new_database: Callable[[], str]) -> str:
    dsn = new_database()
    execute(dsn, SCHEMA + ROWS)
    return dsn


@pytest.fixture
def place(new_database: Callable[[], str]) -> str:
    dsn = new_database()
    execute(dsn, SCHEMA)
    return dsn


def execute(dsn: str, script: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(script.encode())


def one(dsn: str, query: str) -> Any:
    with psycopg.connect(dsn) as conn:
        row = conn.execute(query.encode()).fetchone()
    return row and row[0]


def state(dsn: str) -> tuple[Any, ...]:
    """What the catalog says, the rows, and where sequences stand."""
    with psycopg.connect(dsn) as conn:
        catalog = conn.execute(CATALOG).fetchall()
        sequences = conn.execute("SELECT * FROM pg_sequences ORDER BY sequencename").fetchall()
    return catalog, sums(dsn), sequences


def copy(source: str, place: str, options: CopyOptions = OPTIONS, **more: Any) -> Any:
    rules = {each: more.pop(each) for each in list(more) if "__" in each}
    plan = plan_of(source, **rules)
    return copy_database(Target("a", source), Target("b", place), plan, SECRET, options, **more)


def test_rows_arrive_and_the_schema_stays(source: str, place: str) -> None:
    before = state(place)
    report = copy(source, place, people__email=("hash", {}), orders__note=("test-unfit", {}))
    catalog, rows, _ = state(place)
    assert catalog == before[0]
    assert {name: count for name, (count, _) in rows.items()} == {
        name: count for name, (count, _) in sums(source).items()
    }
    assert (report.rows, report.in_place) == (12_560, True)
    assert {each.way.name for each in report.tables} == {"pipe", "sql", "python"}
    assert one(place, "SELECT count(*) FROM people WHERE email LIKE '%@mail.com'") == 0
    assert one(place, "SELECT count(*) FROM people WHERE longer = email || '!'") == 12_000
    assert one(place, "SELECT reltuples FROM pg_class WHERE relname = 'people'") == 12_000
    assert one(place, "INSERT INTO people DEFAULT VALUES RETURNING id") == 12_001
    assert one(place, "INSERT INTO orders (who) VALUES (1) RETURNING id") == 501
    assert one(place, "SELECT nextval('alone')") == -7


def test_unmasked_rows_are_the_same_and_no_trigger_fires(source: str, place: str) -> None:
    copy(source, place)
    assert sums(place) == sums(source)
    assert one(place, "SELECT count(*) FROM fired") == 0
    execute(place, "INSERT INTO people DEFAULT VALUES")
    assert one(place, "SELECT string_agg(what, ',' ORDER BY what) FROM fired") == "always,usual"


def test_all_that_keeps_tables_from_being_loaded_is_told(source: str, place: str) -> None:
    execute(
        place,
        "DROP TABLE days; ALTER TABLE people DROP COLUMN at, DROP COLUMN longer, ADD longer text;"
        "ALTER TABLE orders ALTER note TYPE text, ADD more int NOT NULL; ALTER TABLE fired ADD ours"
        " int; INSERT INTO fired VALUES ('before')",
    )
    before = state(place)
    with pytest.raises(CopyError, match="cannot take the rows; nothing was copied") as raised:
        copy(source, place)
    told = str(raised.value)
    for each in (
        "days_1 is not there",
        "people.at is not there",
        "people.longer is not generated there, but in the source",
        "orders.note is text there, and character varying(40) in the source",
        "orders.more is NOT NULL there without a default",
        "public.fired is not empty",
    ):
        assert each in told
    assert state(place) == before


def test_a_strategy_that_raises_leaves_the_target_as_it_was(source: str, place: str) -> None:
    before = state(place)
    with pytest.raises(StrategyError, match=r"orders\.note"):
        copy(source, place, orders__note=("test-raises", {}))
    assert state(place) == before


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        ("DELETE FROM people WHERE id = 12000", "foreign key best_is_there"),
        ("UPDATE people SET email = 'a' WHERE id < 3", "people_email_key"),
    ],
    ids=["foreign key", "unique"],
)
def test_a_broken_constraint_leaves_the_target_as_it_was(
    source: str, place: str, spoil: str, told: str
) -> None:
    execute(source, "ALTER TABLE people DROP CONSTRAINT people_email_key")
    execute(source, f"SET session_replication_role = replica; {spoil}")
    before = state(place)
    with pytest.raises(CopyError, match=told):
        copy(source, place)
    assert state(place) == before


class Ends(CopyObserver):
    """Does something once, when the first rows are on their way."""

    def __init__(self, what: Callable[[], object]) -> None:
        self.what, self.repeated, self.done = what, 0, False

    def moved(self, chunk: Chunk, rows: int) -> None:
        if not self.done:
            self.done = True
            self.what()

    def repeating(self, chunk: Chunk) -> None:
        self.repeated += 1


def test_a_session_that_is_gone_is_the_end(source: str, place: str) -> None:
    before = state(place)

    def end() -> None:
        with psycopg.connect(source, autocommit=True) as conn:
            conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s "
                "AND application_name = 'confiture-flows copy to'",
                (conninfo_to_dict(place)["dbname"],),
            )

    observer = Ends(end)
    with pytest.raises(CopyError, match="All of it is undone"):
        copy(source, place, observer=observer, **SLOW)
    assert (observer.done, observer.repeated) == (True, 0)
    assert state(place) == before


def test_a_chunk_whose_worker_dies_is_copied_again(source: str, place: str, tmp_path: Path) -> None:
    observer = Ends(lambda: None)
    rules: dict[str, Any] = {"people__email": ("test-kills", {"flag": str(tmp_path / "flag")})}
    execute(place, "ALTER TABLE people DROP CONSTRAINT people_email_key")
    copy(source, place, observer=observer, **rules)
    assert observer.repeated == 1
    assert one(place, "SELECT count(*) FROM people WHERE email LIKE 'survived %'") == 12_000


def test_a_hanging_strategy_is_ended(source: str, place: str) -> None:
    before = state(place)
    with pytest.raises(StrategyError, match="has not answered"):
        copy(source, place, replace(OPTIONS, strategy_timeout=1), orders__note=("test-hangs", {}))
    assert state(place) == before


def test_a_killed_copy_leaves_the_target_as_it_was(source: str, place: str) -> None:
    before = state(place)
    script = (
        "import sys; from tests.integration.test_copy_in_place import *; "
        "copy(sys.argv[1], sys.argv[2], observer=Ends(lambda: print('moved', flush=True)), **SLOW)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, source, place], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "moved\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    until = time.monotonic() + 20
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    while one(place, sessions) > 1 and time.monotonic() < until:
        time.sleep(0.05)
    assert state(place) == before


def test_tables_that_somebody_uses_are_told(source: str, place: str) -> None:
    with psycopg.connect(place) as other:
        other.execute("SELECT FROM orders")
        with pytest.raises(CopyError, match="lock that somebody else holds"):
            copy(source, place)


@pytest.mark.parametrize("option", ["replace", "end_sessions", "owners"])
def test_options_of_new_databases_are_refused(source: str, place: str, option: str) -> None:
    with pytest.raises(ConfigError, match=option):
        copy(source, place, replace(OPTIONS, **{option: True}))


def test_source_production_and_folders_are_refused(source: str, place: str, tmp_path: Path) -> None:
    plan, a = plan_of(source), Target("a", source)
    for target in (Target("b", source), Target("b", place, production=True), tmp_path / "out"):
        with pytest.raises(ConfitureFlowsError, match=r"source itself|production|folder"):
            copy_database(a, target, plan, SECRET, OPTIONS)
    assert not (tmp_path / "out").exists()


def test_sequences_of_a_failed_copy_stand_where_they_stood(source: str, place: str) -> None:
    execute(place, "SELECT nextval('alone')")
    before = state(place)

    class Fails(CopyObserver):
        def finishing(self, what: str) -> None:
            if what == "swap":
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(source, place, observer=Fails())
    assert state(place) == before


def test_a_role_that_owns_the_tables_is_enough(
    source: str, new_role: Callable[[], Role], conn: psycopg.Connection
) -> None:
    role = new_role()  # in the database of the test, which `conn` is on
    conn.execute(SCHEMA.encode())
    place = Target("b", role.dsn)
    plan = plan_of(source)
    with pytest.raises(CopyError, match="only the owner may load it"):
        copy_database(Target("a", source), place, plan, SECRET, OPTIONS)
    for kind, names in (
        ("TABLE", ("people", "orders", "days", "days_1", "days_2", "fired")),
        ("SEQUENCE", ("alone",)),
    ):
        for name in names:
            conn.execute(f'ALTER {kind} {name} OWNER TO "{role.name}"'.encode())
    conn.execute(f'GRANT ALL ON SCHEMA public TO "{role.name}"'.encode())
    copy_database(Target("a", source), place, plan, SECRET, OPTIONS)
    rows = conn.execute("SELECT count(*) FROM people").fetchone()
    assert rows == (12_000,)
