"""What PostgreSQL changes without writing a table anew is what the rules leave alone."""

from __future__ import annotations

import psycopg
import pytest

from confiture_flows.lint.rules.change_column_type import RULES
from confiture_flows.lint.testing import RuleCase, findings_of_rule


@pytest.mark.parametrize("zone", ["UTC", "GMT", "Etc/UTC", "Europe/Vienna", "Africa/Abidjan"])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("timestamp", "timestamptz"),
        ("timestamptz", "timestamp"),
        ("timestamp(3)", "timestamptz"),
        ("timestamp(3)", "timestamptz(3)"),
        ("varchar(3)", "text"),
        ("int", "bigint"),
    ],
)
def test_change_that_is_silent_leaves_the_rows(
    conn: psycopg.Connection, zone: str, old: str, new: str
) -> None:
    table = f"CREATE TABLE t (a {old});"
    change = f"SET timezone = '{zone}'; ALTER TABLE t ALTER a TYPE {new};"
    place = "SELECT pg_relation_filenode('t')"
    conn.execute(table.encode())
    before = conn.execute(place.encode()).fetchone()
    conn.execute(change.encode())
    written = conn.execute(place.encode()).fetchone() != before
    found = findings_of_rule(RULES[0], RuleCase(change, table))
    # Of a zone that has the time of Greenwich by chance too much may be said, never too little.
    assert found or not written
    if zone != "Africa/Abidjan":
        assert bool(found) is written
