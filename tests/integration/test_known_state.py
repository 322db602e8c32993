"""What the history is said to have made is what a server makes of it."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from confiture_flows.lint.runner import replayed_state
from confiture_flows.migrations.discovery import discover
from tests.integration.conftest import Engine

_COLUMNS = """
SELECT table_schema || '.' || table_name || '.' || column_name
FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
  AND table_name NOT LIKE 'tb_confiture%'
"""
_REQUIRED = _COLUMNS + " AND is_nullable = 'NO'"
_INDEXES = """
SELECT schemaname || '.' || tablename || '.' || indexname FROM pg_indexes
WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
  AND tablename NOT LIKE 'tb_confiture%'
  AND (schemaname, tablename) IN (SELECT schemaname, tablename FROM pg_tables)
"""
_CONSTRAINTS = """
SELECT n.nspname || '.' || c.relname || '.' || k.conname
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype IN ('p', 'u', 'f', 'c', 'x')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND c.relname NOT LIKE 'tb_confiture%'
"""


@pytest.mark.parametrize("project", ["svix", "neosync", "crates_io", "langfuse"])
def test_known_state_is_that_of_a_server(
    project: str, corpora: Path, engine: Engine, conn: psycopg.Connection
) -> None:
    folder = corpora / project / "migrations"
    engine.migrate(folder, as_written=True)

    def names(query: str) -> set[str]:
        return {row[0] for row in conn.execute(query.encode())}

    state = replayed_state(discover(folder, as_written=True).migrations)
    state.begin("the end")  # what was temporary is gone
    tables = state.tables.values()
    columns = {
        f"{table.name}.{name}": each for table in tables for name, each in table.columns.items()
    }
    assert set(columns) == names(_COLUMNS)
    assert {name for name, each in columns.items() if each.not_null} == names(_REQUIRED)
    assert {f"{table.name}.{name}" for table in tables for name in table.indexes} == names(_INDEXES)
    found = {f"{table.name}.{name}" for table in tables for name in table.constraints}
    assert found == names(_CONSTRAINTS)
