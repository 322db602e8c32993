-- name: locate
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = pg_catalog.to_regclass(%(quoted)s)

-- name: home
SELECT pg_catalog.current_schema()

-- name: create
CREATE TABLE IF NOT EXISTS {ledger} (
    id uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),
    pk_confiture bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    slug text NOT NULL UNIQUE,
    version varchar(255) NOT NULL UNIQUE,
    name varchar(255) NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    execution_time_ms integer,
    checksum varchar(64),
    applied_by text,
    archived_into varchar(255)
)

-- name: create_indexes
CREATE INDEX IF NOT EXISTS idx_tb_confiture_pk_confiture ON {ledger} (pk_confiture);
CREATE INDEX IF NOT EXISTS idx_tb_confiture_slug ON {ledger} (slug);
CREATE INDEX IF NOT EXISTS idx_tb_confiture_version ON {ledger} (version);
CREATE INDEX IF NOT EXISTS idx_tb_confiture_applied_at ON {ledger} (applied_at DESC)

-- name: read
SELECT version, name, applied_at, execution_time_ms, checksum, applied_by, archived_into
FROM {ledger}
ORDER BY pk_confiture

-- name: record
-- The CASE ends the transaction with an error when the run's advisory lock is gone (a file may
-- call pg_advisory_unlock_all). It names the backend so that the planner cannot evaluate it early.
INSERT INTO {ledger} (slug, version, name, execution_time_ms, checksum, applied_by)
SELECT
    %(name)s || '_' || %(version)s || '_' || pg_catalog.to_char(pg_catalog.now(), 'YYYYMMDD_HH24MISS'),
    %(version)s,
    %(name)s,
    coalesce(
        %(elapsed_ms)s::pg_catalog.int4,
        (1000 * extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.now()))::pg_catalog.int4
    ),
    CASE WHEN {lock_held} THEN %(checksum)s
        ELSE ('run lock lost in backend ' || pg_catalog.pg_backend_pid())::pg_catalog.int4::pg_catalog.text
    END,
    session_user
{on_conflict}
RETURNING version, name, extract(epoch FROM applied_at), execution_time_ms, checksum, applied_by, archived_into

-- name: on_conflict
-- A repeatable migration has one row, that of its last run.
ON CONFLICT (version) DO UPDATE SET
    slug = excluded.slug,
    name = excluded.name,
    applied_at = excluded.applied_at,
    execution_time_ms = excluded.execution_time_ms,
    checksum = excluded.checksum,
    applied_by = excluded.applied_by,
    archived_into = NULL

-- name: erase
DELETE FROM {ledger}
WHERE version = %(version)s
    AND CASE WHEN {lock_held} THEN true
        ELSE ('run lock lost in backend ' || pg_catalog.pg_backend_pid())::pg_catalog.int4 = 0
    END
RETURNING version, name, extract(epoch FROM applied_at), execution_time_ms, checksum, applied_by, archived_into

-- name: open
-- A row without a checksum is one whose repeatable migration runs again.
UPDATE {ledger} SET checksum = NULL
WHERE version = %(version)s
    AND CASE WHEN {lock_held} THEN true
        ELSE ('run lock lost in backend ' || pg_catalog.pg_backend_pid())::pg_catalog.int4 = 0
    END
