"""What a copy knows of its source."""

from __future__ import annotations

import psycopg
import pytest

from confiture_flows.anonymization.source import SourceTable, read_source

SCHEMA = """
CREATE DOMAIN mail AS varchar(120) CHECK (VALUE LIKE '%@%');
CREATE DOMAIN work_mail AS mail NOT NULL;
CREATE TYPE mood AS ENUM ('low', 'high');
CREATE TABLE people (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email work_mail UNIQUE,
    moods mood[],
    nick varchar(20) NOT NULL,
    loud text GENERATED ALWAYS AS (upper(nick)) STORED,
    mails mail[]
);
CREATE UNIQUE INDEX people_nick ON people (lower(nick)) WHERE nick <> '';
COMMENT ON COLUMN people.nick IS 'what friends call them';
CREATE SCHEMA log;
CREATE TABLE log.events (
    id bigint NOT NULL, at date NOT NULL, who bigint REFERENCES people (id)
) PARTITION BY RANGE (at);
CREATE TABLE log.events_1 PARTITION OF log.events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')
    PARTITION BY LIST (lower((id % 2)::text));
CREATE TABLE log.events_1_a PARTITION OF log.events_1 DEFAULT;
CREATE UNIQUE INDEX ON log.events_1_a (id, at);
CREATE UNLOGGED TABLE passing (id int UNIQUE NOT NULL);
CREATE MATERIALIZED VIEW nicks AS SELECT nick FROM people;
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
CREATE FOREIGN TABLE far (id int) SERVER nowhere;
SELECT lo_create(0);
"""


@pytest.fixture
def tables(conn: psycopg.Connection) -> dict[str, SourceTable]:
    conn.execute(SCHEMA)
    return {str(each): each for each in read_source(conn).tables}


def test_types_are_those_behind_domains_and_of_elements(tables: dict[str, SourceTable]):
    people = tables["public.people"]
    types = {each.name: each.column.type for each in people.columns}
    assert types == {
        "id": "int8",
        "email": "varchar",
        "moods": "mood[]",
        "nick": "varchar",
        "loud": "text",
        "mails": "varchar[]",
    }
    email = people.column("email")
    assert (email.column.max_length, email.column.nullable, email.of_domain) == (120, False, True)
    assert people.column("moods").column.labels == ("low", "high")
    assert people.column("nick").column.max_length == 20
    assert people.column("nick").comment == "what friends call them"


def test_generated_and_identity_columns_are_told(tables: dict[str, SourceTable]):
    people = tables["public.people"]
    assert (people.column("loud").written, people.column("loud").made_of) == (False, ("nick",))
    assert people.column("id").always_identity


def test_unique_indexes_with_their_columns(tables: dict[str, SourceTable]):
    keys = [(key.columns, key.primary, key.partial) for key in tables["public.people"].keys]
    assert keys == [(("id",), True, False), (("email",), False, False), (("nick",), False, True)]
    assert tables["public.passing"].row_key == ("id",)


def test_leaves_know_what_they_are_parts_of(tables: dict[str, SourceTable]):
    assert set(tables) == {"public.people", "public.passing", "log.events_1_a"}
    leaf = tables["log.events_1_a"]
    assert leaf.above == (("log", "events_1"), ("log", "events"))
    assert leaf.family == ("log", "events")
    assert leaf.partition_key == {"at", "id"}
    assert leaf.row_key == ("id", "at")


def test_foreign_keys_of_partitioned_tables_count_once(conn: psycopg.Connection):
    conn.execute(SCHEMA)
    source = read_source(conn)
    [key] = source.foreign_keys
    assert (key.table, key.columns) == (("log", "events"), ("who",))
    assert (key.parent, key.referenced) == (("public", "people"), ("id",))
    assert [str(each) for each in source.under(key.table)] == ["log.events_1_a"]


def test_what_is_left_out_is_named(conn: psycopg.Connection):
    conn.execute(SCHEMA)
    assert read_source(conn).left_out == (
        "foreign table public.far: its rows are elsewhere",
        "1 large objects: only their numbers are copied",
    )


def test_rows_are_estimated_without_counting(conn: psycopg.Connection):
    conn.execute("CREATE TABLE many AS SELECT g FROM generate_series(1, 50000) AS g")
    [unseen] = read_source(conn).tables
    assert unseen.rows > 1000
    conn.execute("ANALYZE many")
    [seen] = read_source(conn).tables
    assert 49_000 < seen.rows < 51_000
    assert seen.size > 1_000_000
