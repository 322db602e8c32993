"""Indexes and keys are made side by side after the rows, and come out as the source has them."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from confiture_flows.anonymization.copy import copy_database
from confiture_flows.anonymization.copying import completing
from confiture_flows.anonymization.copying.completing import pieces_of
from confiture_flows.anonymization.copying.values import CopyOptions
from confiture_flows.anonymization.keys import Secret
from confiture_flows.errors import CopyError
from confiture_flows.target import Target
from tests.copies import plan_of, sums

SECRET = Secret(b"0123456789abcdef")
SOURCE = """
CREATE TABLE visits (id int, at date, who text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE visits_old PARTITION OF visits FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE visits_new PARTITION OF visits FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE INDEX visits_who ON visits (who);
INSERT INTO visits SELECT n, '2020-06-01'::date + n, 'who' || n FROM generate_series(1, 400) AS n;
CREATE TABLE people (id int PRIMARY KEY, email text UNIQUE, "The; Name" text,
    during int4range, EXCLUDE USING gist (during WITH &&));
CREATE UNIQUE INDEX people_lower ON people (lower("The; Name")) WHERE id > 3;
CREATE INDEX people_name ON people ("The; Name" DESC) INCLUDE (email);
COMMENT ON INDEX people_name IS 'of; people';
ALTER TABLE people CLUSTER ON people_name;
ALTER TABLE people REPLICA IDENTITY USING INDEX people_pkey;
INSERT INTO people SELECT n, 'p' || n, 'Name ' || n, int4range(n, n + 1)
FROM generate_series(1, 300) AS n;
CREATE TABLE orders (id int PRIMARY KEY, person int REFERENCES people, email text UNIQUE
    REFERENCES people (email));
INSERT INTO orders SELECT n, n, 'p' || n FROM generate_series(1, 300) AS n;
-- Of a key of its own: made after the rows, as all that needs it.
CREATE MATERIALIZED VIEW grouped AS SELECT id, email, count(*) FROM people GROUP BY id;
CREATE UNIQUE INDEX grouped_id ON grouped (id);
ANALYZE;
"""
MADE = """
SELECT 'index', indexname, indexdef, i.indisclustered::text || i.indisreplident || i.indisvalid
    || coalesce(obj_description(i.indexrelid), '')
FROM pg_indexes JOIN pg_index AS i
    ON i.indexrelid = format('%I.%I', schemaname, indexname)::regclass
WHERE schemaname = 'public'
UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid), conrelid::regclass::text
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'statistics', tablename, attname, inherited::text
FROM pg_stats WHERE schemaname = 'public' ORDER BY 1, 2, 3, 4
"""


@pytest.fixture
def databases(new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    source, place = new_database(), new_database()
    with psycopg.connect(source, autocommit=True) as conn:
        conn.execute(SOURCE.encode())
    monkeypatch.setattr(completing, "WORTH_SIDE_BY_SIDE", 0)
    return source, place


def copy(source: str, place: str, **rules: str) -> None:
    plan = plan_of(source, **rules)
    options = CopyOptions(workers=3)
    copy_database(Target("a", source), Target("b", place), plan, SECRET, options)


def test_what_is_made_side_by_side_is_what_the_source_has(databases: tuple[str, str]) -> None:
    source, place = databases
    copy(source, place)
    found = []
    for dsn in databases:
        with psycopg.connect(dsn) as conn:
            found.append(conn.execute(MADE).fetchall())
    assert found[0] == found[1]
    assert sums(source) == sums(place)


def test_a_key_that_does_not_hold_is_told_without_a_value(databases: tuple[str, str]) -> None:
    with pytest.raises(CopyError, match=r"constraint people_lower: unique violation") as caught:
        copy(*databases, **{"people__The; Name": "redact"})
    assert "Name 1" not in str(caught.value)


def test_the_texts_of_pieces_are_the_script() -> None:
    script = (
        "SET x = 'ä';\n-- é\nALTER TABLE ONLY a.b\n ADD CONSTRAINT c PRIMARY KEY (d);\n"
        "CREATE INDEX e ON a.b USING btree (d);\nALTER TABLE a.b ADD CONSTRAINT f CHECK (d > 1);"
    )
    pieces = pieces_of(script)
    assert "".join(each.text for each in pieces) == script
    assert [bool(each.table or each.index) for each in pieces] == [False, True, False, True, False]
