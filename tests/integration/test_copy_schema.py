"""What a copy needs around its rows: refused when it is not there, left out when it is secret."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from confiture_flows.anonymization.copy import copy_database
from confiture_flows.anonymization.copying.schema import Schema, check_available
from confiture_flows.anonymization.copying.values import CopyOptions
from confiture_flows.anonymization.keys import Secret
from confiture_flows.errors import CopyError
from confiture_flows.report.markdown import render_markdown
from confiture_flows.target import Target
from tests.copies import plan_of
from tests.integration.conftest import Role
from tests.integration.copy_strategies import MODULE

SECRETS = """
CREATE FOREIGN DATA WRAPPER dummy;
CREATE SERVER other FOREIGN DATA WRAPPER dummy;
CREATE USER MAPPING FOR CURRENT_USER SERVER other OPTIONS (password 'p;w''d', "user" 'x');
CREATE TABLE person (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text);
INSERT INTO person (email) SELECT n || '@mail.com' FROM generate_series(1, 10) AS n;
CREATE INDEX by_email ON person (email);
"""


@pytest.fixture
def source(new_database: Callable[[], str]) -> str:
    dsn = new_database()
    with psycopg.connect(dsn) as conn:
        conn.execute(SECRETS.encode())
    return dsn


def test_user_mappings_stay_and_sequences_follow_masked_values(
    source: str, new_database: Callable[[], str]
) -> None:
    place = new_database()
    plan = plan_of(source, person__id=("test-years", {"more": 1000}), person__email="hash")
    options = CopyOptions(workers=1, modules=(MODULE,))
    report = copy_database(
        Target("a", source), Target("b", place), plan, Secret(b"x" * 16), options
    )
    with psycopg.connect(place, autocommit=True) as conn:
        assert conn.execute("SELECT count(*) FROM pg_foreign_server").fetchone() == (1,)
        assert conn.execute("SELECT count(*) FROM pg_user_mapping").fetchone() == (0,)
        made = conn.execute("INSERT INTO person (email) VALUES ('new') RETURNING id")
        assert made.fetchone() == (1011,)
        assert conn.execute(
            "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'conf%'"
        ).fetchone() == (0,)
    text = render_markdown(report.document())
    assert "a was copied to b." in text
    assert "id: no SQL" in text
    assert report.json()["tables"][0]["rows"] == 10
    assert report.json()["sequences"] == 1


def test_owners_stay_behind_unless_they_are_asked_for(
    source: str, new_database: Callable[[], str], new_role: Callable[[], Role]
) -> None:
    role = new_role().name
    with psycopg.connect(source) as conn:
        conn.execute(f'ALTER TABLE person OWNER TO "{role}"'.encode())
        conn.execute("GRANT SELECT ON person TO PUBLIC")
    place = new_database()
    plan = plan_of(source, person__email="hash")
    for owners in (False, True):
        options = CopyOptions(workers=1, replace=True, owners=owners)
        copy_database(Target("a", source), Target("b", place), plan, Secret(b"x" * 16), options)
        with psycopg.connect(place) as conn:
            (owner, rights) = conn.execute(
                "SELECT relowner::regrole::text, relacl IS NOT NULL FROM pg_class "
                "WHERE relname = 'person'"
            ).fetchone() or ("", None)
        assert ((owner == role), rights) == (owners, owners)
    with psycopg.connect(source) as conn:
        conn.execute("ALTER TABLE person OWNER TO CURRENT_USER")
    with psycopg.connect(place) as conn:
        conn.execute("ALTER TABLE person OWNER TO CURRENT_USER")


@pytest.mark.parametrize(
    ("needed", "said"),
    [
        (Schema("", "", ("no_such_extension",), ()), "extension no_such_extension"),
        (Schema("", "", (), ("no_such_role",)), "roles that here does not have: no_such_role"),
    ],
)
def test_what_the_server_lacks_is_told_before_anything_is_made(
    conn: psycopg.Connection, needed: Schema, said: str
) -> None:
    with pytest.raises(CopyError, match=said):
        check_available(conn, needed, "here")
