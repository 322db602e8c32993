"""How much of a catalog statements may change."""

from __future__ import annotations

from pathlib import Path

import pytest

from confiture_flows.catalog.tracking import reach
from confiture_flows.sql.statements import split_statements

LOCAL = [
    "ALTER TABLE t ADD x int; CREATE INDEX i ON t (x); COMMENT ON TABLE t IS 'x'",
    "DROP TABLE t; DROP INDEX i; DROP TRIGGER g ON t",
    "UPDATE t SET a = 1; TRUNCATE t",
]
WITH_OBJECTS = [
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE TYPE e AS ENUM ('a')",
    "DROP FUNCTION f()",
    "DROP TABLE t CASCADE",
]
ALL = [
    "DO $$ BEGIN END $$",
    "SELECT f()",
    "GRANT SELECT ON t TO public",
    "DROP SCHEMA s",
    "DROP EXTENSION x",
    "ALTER TABLE t RENAME TO u",
    "CREATE EXTENSION citext",
    "ALTER TABLE t OWNER TO x; CALL p()",
]


def parts(sql: str) -> frozenset[str] | None:
    return reach((each.kind, each.sql) for each in split_statements(sql, Path("x.sql")))


@pytest.mark.parametrize("sql", LOCAL)
def test_only_relations(sql: str) -> None:
    found = parts(sql)
    assert found is not None
    assert "functions" not in found


@pytest.mark.parametrize("sql", WITH_OBJECTS)
def test_functions_and_types_too(sql: str) -> None:
    assert {"functions", "types", "columns"} <= (parts(sql) or frozenset())


@pytest.mark.parametrize("sql", ALL)
def test_everything(sql: str) -> None:
    assert parts(sql) is None
