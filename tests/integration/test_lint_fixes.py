"""What fixes write runs on a real PostgreSQL, and ends where the original would have ended."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from confiture_flows.catalog.diff import diff
from confiture_flows.catalog.model import Catalog
from confiture_flows.catalog.snapshot import take_snapshot
from confiture_flows.errors import ApplyError
from confiture_flows.lint.fixes import mend_files, write_mended
from confiture_flows.lint.registry import own_rules
from confiture_flows.lint.runner import lint_migrations
from confiture_flows.migrations.discovery import discover
from confiture_flows.sql.operations import read_operations
from tests.integration.conftest import Engine

BEFORE = """
CREATE TABLE public."Users" (id bigint NOT NULL, email text, login text, "Age" int);
INSERT INTO "Users" VALUES (1, 'a', 'b', 3);
CREATE TABLE orders (id bigint PRIMARY KEY, note text);
CREATE TYPE mood AS ENUM ('sad');
CREATE TABLE days (at date, kind text) PARTITION BY RANGE (at);
CREATE TABLE "Old" (at date, kind text);
INSERT INTO "Old" VALUES ('2020-02-03', 'a');
"""
NOT_NULL = 'ALTER TABLE "Users" ALTER COLUMN "Age" SET NOT NULL'


def mend(folder: Path, *codes: str) -> None:
    """Mend by some rules, or all, until there is nothing to mend."""
    rules = tuple(each for each in own_rules() if not codes or each.code in codes)
    passes = 0
    while mended := mend_files(lint_migrations(discover(folder).migrations, rules=rules).findings):
        passes += 1
        assert passes < 5
        for path, text in mended.items():
            write_mended(path, text)


@pytest.fixture
def ends(engine: Engine, write: Callable[..., Path]) -> Callable[..., tuple[str, Catalog]]:
    """Apply migrations, mended or not, to a database of their own; the script and the catalog."""

    def run(sql: str, dsn: str, *codes: str) -> tuple[str, Catalog]:
        folder = write({"1_before.up.sql": BEFORE, "2_case.up.sql": sql}, folder=f"db/{len(codes)}")
        if codes:
            mend(folder, *codes)
        replace(engine, target=replace(engine.target, dsn=dsn)).migrate(folder)
        with psycopg.connect(dsn) as conn:
            # Values that differ from row to row are there, whatever they are.
            (rows,) = conn.execute('SELECT count(*), num_nulls(u.*) FROM "Users" u GROUP BY 2')
            assert rows == (1, 0)
            return (folder / "2_case.up.sql").read_text(), take_snapshot(
                conn, ledger=("public", "tb_confiture")
            )

    return run


@pytest.mark.parametrize(
    ("code", "sql"),
    [
        (
            "CF06",
            """ALTER TABLE days ATTACH PARTITION "Old"
            FOR VALUES FROM ('2020-01-01') TO (MAXVALUE)""",
        ),
        ("CF09", 'ALTER TABLE "Users" ADD "No" uuid NOT NULL DEFAULT gen_random_uuid();'),
        ("CF12", NOT_NULL),
        ("CF12", f"-- why\n{NOT_NULL};\n-- a comment at the end"),
        ("CF12", f"-- confiture: transaction=none\nSELECT 1;\n{NOT_NULL}; SELECT 2;"),
        (
            "CF15",
            """ALTER TABLE "Users" ADD CONSTRAINT c CHECK ("Age" > 0) NOT VALID; -- why
            ALTER TABLE "Users" VALIDATE CONSTRAINT c""",
        ),
        ("CF16", 'ALTER TABLE "Users" ADD CONSTRAINT one UNIQUE (email, "Age"); SELECT 1;'),
        ("CF16", 'ALTER TABLE "Users" ADD UNIQUE (login) DEFERRABLE INITIALLY DEFERRED'),
        ("CF17", 'ALTER TABLE public."Users" ADD PRIMARY KEY (id);'),
        (
            "CF22",
            """ALTER TABLE "Users" ALTER email SET NOT NULL; -- why
            ALTER TABLE "Users" ALTER login SET NOT NULL, ADD CHECK ("Age" > 0);
            ALTER TABLE "Users" ADD CHECK ("Age" < 200);""",
        ),
        (
            "CF22",
            """ALTER TABLE "Users" ALTER "Age" TYPE bigint;
            ALTER TABLE "Users" ALTER email TYPE varchar(9) USING email::varchar(9);
            ALTER TABLE "Users" ALTER login TYPE varchar(9);""",
        ),
        (
            "CF41 CF4A CF4F CF62",
            f"""ALTER TABLE "Users" ADD a text;UPDATE "Users" SET a = 'it''s';
            ALTER TYPE mood ADD VALUE 'glad'; TRUNCATE orders CASCADE;
            CREATE TABLE "{"é" * 40}" (id int); ALTER TABLE "{"é" * 39}" ADD b int""",
        ),
        ("CF64", 'ALTER TABLE "Users" ADD CHECK ("Age" > 0), ADD UNIQUE (email, login)'),
        ("CF64", 'CREATE INDEX ON "Users" (lower(email), "Age"); CREATE INDEX ON "Users" (login)'),
        ("CF85", "ALTER TABLE orders ADD COLUMN IF NOT EXISTS note text;\nSELECT 1;"),
    ],
)
def test_fix_ends_where_the_original_ends(
    code: str,
    sql: str,
    ends: Callable[..., tuple[str, Catalog]],
    new_database: Callable[[], str],
) -> None:
    original, expected = ends(sql, new_database())
    mended, catalog = ends(sql, new_database(), *code.split())
    assert mended != original
    assert diff(expected, catalog) == ()


@pytest.mark.parametrize(
    ("code", "sql"),
    [
        ("CF08", 'ALTER TABLE "Users" ADD b int NOT NULL; UPDATE "Users" SET b = "Age" + 1;'),
        (
            "CF08",
            """ALTER TABLE "Users" ADD b int NOT NULL; ALTER TABLE "Users" ADD c int NOT NULL;
            UPDATE "Users" SET c = -7; ALTER TABLE "Users" ALTER b SET DEFAULT 7;""",
        ),
        ("CF42", """BEGIN; ALTER TYPE mood ADD VALUE 'glad'; SELECT 'glad'::mood; COMMIT;"""),
    ],
)
def test_what_fails_runs_when_it_is_mended(
    code: str, sql: str, engine: Engine, write: Callable[..., Path]
) -> None:
    folder = write({"1_before.up.sql": BEFORE, "2_case.up.sql": sql})
    with pytest.raises(ApplyError):
        engine.migrate(folder)
    mend(folder, code)
    assert [row.version for row in engine.migrate(folder)] == ["2"]


@pytest.mark.parametrize(
    ("key", "bounds"),
    [
        ("RANGE (at)", "FROM (MINVALUE) TO ('2030-01-01')"),
        ("LIST (kind)", "IN ('a', 'b', NULL)"),
        ("LIST (n)", "IN (-1, 7)"),
        ("RANGE (n)", "FROM (7) TO (8)"),
    ],
)
def test_partition_is_attached_without_reading_it(
    key: str, bounds: str, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    before = f"""CREATE TABLE parts (at date, kind varchar(9), n bigint) PARTITION BY {key};
        CREATE TABLE "Part" (at date, kind varchar(9), n bigint);
        INSERT INTO "Part" VALUES ('2020-02-03', 'a', 7);"""
    sql = f'ALTER TABLE parts ATTACH PARTITION "Part" FOR VALUES {bounds};'
    folder = write({"1_before.up.sql": before, "2_case.up.sql": sql})
    mend(folder, "CF06")
    told: list[str] = []
    conn.add_notice_handler(lambda notice: told.append(str(notice.message_primary)))
    conn.execute(before.encode())
    conn.execute("SET client_min_messages = debug1")
    for statement in read_operations((folder / "2_case.up.sql").read_text()):
        conn.execute(statement.sql.encode())
    assert any("implied by existing constraints" in each for each in told)


def test_mended_way_back_undoes_the_way_forward(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    up = """CREATE SCHEMA shop; CREATE TYPE shop.kind AS ENUM ('a');
        CREATE TABLE shop.a (id bigint PRIMARY KEY, k shop.kind);
        CREATE TABLE b (a bigint REFERENCES shop.a); CREATE VIEW v AS SELECT * FROM b;
        ALTER TABLE orders ADD b bigint, ALTER note SET DEFAULT 'x', ALTER note SET NOT NULL;
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER t BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION f();
        CREATE INDEX ON orders (lower(note));"""
    down = "DROP TABLE shop.a;\nDROP TYPE shop.kind;"
    folder = write({"1_before.up.sql": BEFORE, "2_c.up.sql": up, "2_c.down.sql": down})
    engine.migrate(folder, to="1")
    before = take_snapshot(conn, ledger=("public", "tb_confiture"))
    mend(folder, "CF84")
    # The schema was made before what the script drops, all else after it: that is for people.
    assert (folder / "2_c.down.sql").read_text() == down
    (folder / "2_c.down.sql").write_text(f"{down}\nDROP SCHEMA shop;")
    mend(folder, "CF84")
    engine.migrate(folder)
    engine.rollback(folder, to="1")
    assert diff(before, take_snapshot(conn, ledger=("public", "tb_confiture"))) == ()


@pytest.mark.parametrize(
    ("column", "good", "bad"),
    [
        ("a varchar(3)", "'abc'", "'abcd'"),
        ("a char(3) NOT NULL DEFAULT 'x'", "'ab'", "'abcd'"),
        ('"A" character varying(3) COLLATE "C" UNIQUE', "'é\u00fcß'", "'abcd'"),
        ("a time(0) with time zone", "'12:00+02'", "'noon'"),
        ("a float(10)", "1.5", "'x'"),
        ("a real DEFAULT 1", "1.5", "'x'"),
        ("id serial PRIMARY KEY", "7", "'x'"),
        ("id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY", "7", "'x'"),
    ],
)
def test_mended_type_takes_and_refuses_the_same_values(
    engine: Engine,
    write: Callable[..., Path],
    conn: psycopg.Connection,
    column: str,
    good: str,
    bad: str,
) -> None:
    sql = f"CREATE TABLE t ({column});"
    folder = write({"1_t.up.sql": sql})
    mend(folder, "CF45", "CF49", "CF50", "CF51", "CF53")
    assert (folder / "1_t.up.sql").read_text() != sql
    engine.migrate(folder)
    conn.execute(f"INSERT INTO t VALUES ({good})".encode())
    with pytest.raises((psycopg.DataError, psycopg.IntegrityError)):
        conn.execute(f"INSERT INTO t VALUES ({bad})".encode())


def test_index_of_a_foreign_key_is_there(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    table = 'CREATE TABLE c (a bigint REFERENCES orders, "B" bigint REFERENCES orders);'
    add = "ALTER TABLE c ADD d bigint REFERENCES orders;"
    folder = write({"1_a.up.sql": BEFORE, "2_c.up.sql": table, "3_d.up.sql": add})
    mend(folder, "CF66")
    engine.migrate(folder)
    found = conn.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'c' ORDER BY 1")
    assert [name for (name,) in found] == ["c_B_idx", "c_a_idx", "c_d_idx"]


@pytest.mark.parametrize("project", ["neosync", "svix"])
def test_mended_projects_still_migrate(
    project: str, corpora: Path, engine: Engine, tmp_path: Path
) -> None:
    folder = tmp_path / "migrations"
    shutil.copytree(corpora / project / "migrations", folder)
    mend(folder)
    assert len(engine.migrate(folder)) == len(discover(folder).migrations)


def test_search_path_of_a_function_keeps_what_its_names_mean(
    engine: Engine, write: Callable[..., Path], conn: psycopg.Connection
) -> None:
    sql = """CREATE FUNCTION number() RETURNS bigint AS $$
        DECLARE one orders; BEGIN SELECT * INTO one FROM orders; RETURN one.id; END
    $$ LANGUAGE plpgsql SECURITY DEFINER;"""
    folder = write({"1_a.up.sql": BEFORE, "2_f.up.sql": sql})
    mend(folder, "CF73")
    engine.migrate(folder)
    conn.execute("INSERT INTO orders VALUES (7)")
    # What the caller has put before it no longer counts.
    conn.execute(
        "CREATE SCHEMA mine; CREATE TABLE mine.orders AS SELECT 8::bigint AS id, '' AS note"
    )
    conn.execute("CREATE TEMP TABLE orders AS SELECT 9::bigint AS id")
    conn.execute("SET search_path = mine")
    assert conn.execute("SELECT public.number()").fetchone() == (7,)
