"""Which statements PostgreSQL refuses inside a transaction, and which control one."""

from __future__ import annotations

from pathlib import Path

import pytest

from confiture_flows.sql.statements import Statement, split_statements
from confiture_flows.sql.transactions import TransactionCommand


def only(sql: str) -> Statement:
    (statement,) = split_statements(sql, Path("x.sql"))
    return statement


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("CREATE INDEX CONCURRENTLY i ON t (a)", "CREATE INDEX CONCURRENTLY"),
        ("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)", "CREATE INDEX CONCURRENTLY"),
        ("DROP INDEX CONCURRENTLY i", "DROP INDEX CONCURRENTLY"),
        ("REINDEX INDEX CONCURRENTLY i", "REINDEX CONCURRENTLY"),
        ("REINDEX (CONCURRENTLY) TABLE t", "REINDEX CONCURRENTLY"),
        ("REINDEX (CONCURRENTLY on, VERBOSE) TABLE t", "REINDEX CONCURRENTLY"),
        ("REINDEX (CONCURRENTLY 1) TABLE t", "REINDEX CONCURRENTLY"),
        ("REINDEX SCHEMA public", "REINDEX of a whole schema"),
        ("REINDEX DATABASE shop", "REINDEX of a whole database"),
        ("REINDEX SYSTEM shop", "REINDEX of a whole system"),
        ("VACUUM", "VACUUM"),
        ("VACUUM (ANALYZE) t", "VACUUM"),
        ("CLUSTER", "CLUSTER without a table"),
        ("ALTER TABLE p DETACH PARTITION c CONCURRENTLY", "DETACH PARTITION CONCURRENTLY"),
        ("CREATE DATABASE d", "CREATE DATABASE"),
        ("DROP DATABASE d", "DROP DATABASE"),
        ("ALTER DATABASE d SET TABLESPACE s", "ALTER DATABASE SET TABLESPACE"),
        ("CREATE TABLESPACE s LOCATION '/x'", "CREATE TABLESPACE"),
        ("DROP TABLESPACE s", "DROP TABLESPACE"),
        ("ALTER SYSTEM SET work_mem = '1GB'", "ALTER SYSTEM"),
        ("DISCARD ALL", "DISCARD ALL"),
        (
            "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p",
            "CREATE SUBSCRIPTION with a replication slot",
        ),
        (
            "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (create_slot = true)",
            "CREATE SUBSCRIPTION with a replication slot",
        ),
        ("DROP SUBSCRIPTION s", "DROP SUBSCRIPTION"),
        ("ALTER SUBSCRIPTION s REFRESH PUBLICATION", "ALTER SUBSCRIPTION with a refresh"),
        ("ALTER SUBSCRIPTION s SET PUBLICATION p", "ALTER SUBSCRIPTION with a refresh"),
        ("ALTER SUBSCRIPTION s ADD PUBLICATION p", "ALTER SUBSCRIPTION with a refresh"),
        (
            "ALTER SUBSCRIPTION s SET (failover = true)",
            "ALTER SUBSCRIPTION of its replication slot",
        ),
    ],
)
def test_statement_refused_inside_a_transaction_is_named(sql: str, name: str) -> None:
    assert only(sql).forbids_transaction == name


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX i ON t (a)",
        "DROP INDEX i",
        "DROP TABLE t",
        "REINDEX TABLE t",
        "REINDEX (CONCURRENTLY false) TABLE t",
        "REINDEX (CONCURRENTLY off) TABLE t",
        "REINDEX (CONCURRENTLY 0) TABLE t",
        "ANALYZE",
        "CLUSTER t USING i",
        "ALTER TABLE p DETACH PARTITION c",
        "ALTER TABLE p ADD COLUMN a int, ALTER COLUMN b DROP NOT NULL",
        "ALTER DATABASE d CONNECTION LIMIT 3",
        "ALTER DATABASE d SET work_mem = '1GB'",
        "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (create_slot = false)",
        "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (connect = false)",
        "ALTER SUBSCRIPTION s SET PUBLICATION p WITH (refresh = false)",
        "ALTER SUBSCRIPTION s SET (synchronous_commit = off)",
        "ALTER SUBSCRIPTION s DISABLE",
        "ALTER TYPE mood ADD VALUE 'glad'",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY m",
        "DISCARD TEMP",
        "CALL p()",
        "DO $$ BEGIN COMMIT; END $$",
    ],
)
def test_statement_allowed_inside_a_transaction_is_not_named(sql: str) -> None:
    assert only(sql).forbids_transaction is None


@pytest.mark.parametrize(
    ("sql", "command"),
    [
        ("BEGIN", TransactionCommand.BEGIN),
        ("BEGIN ISOLATION LEVEL SERIALIZABLE", TransactionCommand.BEGIN),
        ("START TRANSACTION READ ONLY", TransactionCommand.BEGIN),
        ("COMMIT", TransactionCommand.COMMIT),
        ("END TRANSACTION", TransactionCommand.COMMIT),
        ("ROLLBACK", TransactionCommand.ROLLBACK),
        ("ABORT", TransactionCommand.ROLLBACK),
        ("COMMIT AND CHAIN", TransactionCommand.OTHER),
        ("ROLLBACK AND CHAIN", TransactionCommand.OTHER),
        ("PREPARE TRANSACTION 'x'", TransactionCommand.OTHER),
        ("COMMIT PREPARED 'x'", TransactionCommand.OTHER),
        ("ROLLBACK PREPARED 'x'", TransactionCommand.OTHER),
        ("SAVEPOINT a", None),
        ("RELEASE SAVEPOINT a", None),
        ("ROLLBACK TO SAVEPOINT a", None),
        ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", None),
        ("SELECT 'COMMIT'", None),
    ],
)
def test_transaction_control_is_recognised(sql: str, command: TransactionCommand | None) -> None:
    assert only(sql).command is command


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("ALTER TYPE mood ADD VALUE 'glad'", "glad"),
        ("ALTER TYPE mood ADD VALUE IF NOT EXISTS 'it''s' BEFORE 'sad'", "it's"),
        ("ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'", None),
        ("ALTER TYPE mood RENAME TO feeling", None),
        ("CREATE TYPE mood AS ENUM ('glad')", None),
    ],
)
def test_added_enum_value_is_read(sql: str, value: str | None) -> None:
    assert only(sql).enum_value == value
