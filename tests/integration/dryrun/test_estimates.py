"""A sample of the target's rows is rehearsed, and what it took is scaled; or it is unknown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from confiture_flows.target import Target

from .conftest import DryRun, statements


@pytest.fixture
def large(conn: psycopg.Connection) -> psycopg.Connection:
    conn.execute(
        "CREATE TABLE people (id serial PRIMARY KEY, name text, double int GENERATED ALWAYS AS"
        " (length(name) * 2) STORED);"
        "INSERT INTO people (name) SELECT 'p' || g FROM generate_series(1, 40000) AS g;"
        "CREATE TABLE visits (id bigint GENERATED ALWAYS AS IDENTITY, person int);"
        "INSERT INTO visits (person) SELECT 1 + (g * 7919) % 40000 FROM generate_series(1, 60000)"
        " AS g; ANALYZE"
    )
    return conn


def test_sample_is_scaled_to_the_target(
    dry: DryRun, write: Callable[..., Path], large: psycopg.Connection
) -> None:
    directory = write({"0001_a.up.sql": "ALTER TABLE people ALTER id TYPE bigint;"})

    report = dry(directory, rows=5000)

    (table,) = report.tables
    assert (table.name, table.rows) == ("public.people", 40000)
    assert 1000 < table.sampled <= 5000
    (done,) = statements(report)
    assert done.estimate
    assert done.estimate.low is not None
    assert done.estimate.high is not None
    assert done.seconds is not None
    assert done.seconds < done.estimate.high
    assert done.estimate.low < done.estimate.high
    assert f"measured on {table.sampled} rows of public.people" in done.estimate.basis
    assert done.estimate.disk_bytes == table.total_bytes
    assert (done.estimate.wal_bytes or 0) > done.wal_bytes


def test_what_does_not_depend_on_the_size_is_not_scaled(
    dry: DryRun, write: Callable[..., Path], large: psycopg.Connection
) -> None:
    directory = write({"0001_a.up.sql": "ALTER TABLE people ADD x int;"})

    (done,) = statements(dry(directory, rows=5000))

    assert done.estimate
    assert "does not depend on the size" in done.estimate.basis


def test_without_rows_nothing_is_invented(
    dry: DryRun, write: Callable[..., Path], large: psycopg.Connection
) -> None:
    directory = write({"0001_a.up.sql": "CREATE INDEX i ON people (name);"})

    report = dry(directory)  # onto a server that is named no row goes unless asked

    (table,) = report.tables
    assert table.sampled == 0
    (done,) = statements(report)
    assert done.estimate
    assert (done.estimate.low, done.estimate.high) == (None, None)
    assert done.estimate.basis == (
        "unknown: public.people has about 40000 rows, and none could be measured"
    )
    (finding,) = (each for each in report.findings if each.code == "impact.blocks_writes")
    assert finding.severity.label == "warning"
    assert "unknown time" in finding.message


def test_server_of_our_own_gets_rows(
    dry: DryRun, write: Callable[..., Path], large: psycopg.Connection, target: Target
) -> None:
    report = dry(write({"0001_a.up.sql": "CREATE INDEX i ON people (name);"}), target=target)
    if not report.place:
        pytest.skip(report.unknown[0])

    (table,) = report.tables
    assert table.sampled > 10_000
    (done,) = statements(report)
    assert done.estimate
    assert done.estimate.known
    assert (done.estimate.disk_bytes or 0) > 100_000


def test_foreign_key_between_samples_finds_its_parents(
    dry: DryRun, write: Callable[..., Path], large: psycopg.Connection
) -> None:
    directory = write(
        {"0001_a.up.sql": "ALTER TABLE visits ADD FOREIGN KEY (person) REFERENCES people;"}
    )

    report = dry(directory, rows=2000)

    assert report.error is None
    assert report.unknown == ()
    people, visits = sorted(report.tables, key=lambda table: table.name)
    assert visits.sampled > 0  # how many pages a sample gets is a matter of chance
    assert people.sampled > 0


def test_foreign_key_that_is_checked_anew_finds_the_parents_of_a_sample(
    dry: DryRun, write: Callable[..., Path], large: psycopg.Connection
) -> None:
    """A new type of the key has PostgreSQL compare all rows again, of both tables."""
    large.execute("ALTER TABLE visits ADD FOREIGN KEY (person) REFERENCES people")
    large.execute("ALTER TABLE people ADD boss int REFERENCES people")
    large.execute("UPDATE people SET boss = id - 10000 WHERE id > 10000; ANALYZE")
    directory = write({"0001_a.up.sql": "ALTER TABLE visits ALTER person TYPE bigint;"})

    report = dry(directory, rows=2000)

    assert report.error is None
    assert report.unknown == ()
    assert statements(report)[0].estimate.known  # pyright: ignore[reportOptionalMemberAccess]

    both = write({"0001_a.up.sql": "ALTER TABLE people ALTER boss TYPE bigint;"})

    report = dry(both, rows=2000)

    assert report.error is None
    assert report.unknown == ()


def test_foreign_key_whose_parents_are_not_found_is_rehearsed_without_rows(
    dry: DryRun, write: Callable[..., Path], large: psycopg.Connection
) -> None:
    large.execute("ALTER TABLE people ADD other int; UPDATE people SET other = id")
    large.execute("ALTER TABLE people ADD UNIQUE (id, other); ALTER TABLE visits ADD other int")
    large.execute("UPDATE visits SET other = person; ANALYZE")
    directory = write(
        {
            "0001_a.up.sql": "ALTER TABLE visits ADD FOREIGN KEY (person, other)"
            " REFERENCES people (id, other);"
        }
    )

    report = dry(directory, rows=2000)

    assert report.error is None
    assert "without rows" in report.unknown[0]
    assert [table.sampled for table in report.tables] == [0, 0]
    assert statements(report)[0].estimate is not None


def test_materialized_view_is_filled_from_what_was_copied(
    dry: DryRun, write: Callable[..., Path], large: psycopg.Connection
) -> None:
    large.execute("CREATE MATERIALIZED VIEW known AS SELECT name FROM people; ANALYZE known")
    directory = write(
        {"0001_a.up.sql": "CREATE INDEX ON known (name);\nUPDATE people SET name = 'x' || id;"}
    )

    report = dry(directory, rows=2000)

    assert (report.error, report.unknown) == (None, ())
    assert {table.name: bool(table.sampled) for table in report.tables} == {
        "public.people": True,
        "public.known": False,
    }


def test_sequences_go_on_where_the_target_is(
    dry: DryRun, write: Callable[..., Path], large: psycopg.Connection
) -> None:
    directory = write({"0001_a.up.sql": "INSERT INTO people (name) VALUES ('one more');"})

    report = dry(directory, rows=100_000)

    assert report.error is None  # its key would collide with a row that was copied


def test_views_that_hang_on_a_table_are_named(
    dry: DryRun, write: Callable[..., Path], large: psycopg.Connection
) -> None:
    large.execute("CREATE VIEW names AS SELECT name FROM people")
    large.execute("ALTER TABLE visits ADD FOREIGN KEY (person) REFERENCES people")

    (table,) = dry(write({"0001_a.up.sql": "ALTER TABLE people ADD x int;"})).tables

    assert table.dependents == ("foreign key of visits", "view names")


def test_table_that_nobody_analysed_is_counted(
    dry: DryRun, write: Callable[..., Path], conn: psycopg.Connection, rehearsed: Target
) -> None:
    conn.execute("CREATE TABLE small (id int); INSERT INTO small SELECT generate_series(1, 7)")

    report = dry(
        write({"0001_a.up.sql": "ALTER TABLE small ADD x int;"}),
        target=replace(rehearsed, name="other"),
    )

    assert [(table.name, table.rows) for table in report.tables] == [("public.small", 7)]
