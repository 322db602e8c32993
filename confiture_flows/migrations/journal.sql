-- name: locate
SELECT 1 FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s

-- name: create
CREATE TABLE IF NOT EXISTS {journal} (
    version varchar(255) NOT NULL,
    direction text NOT NULL CHECK (direction IN ('up', 'down')),
    batch integer NOT NULL,
    statement integer NOT NULL,
    statements integer NOT NULL,
    sql text NOT NULL,
    checksum varchar(64) NOT NULL,
    file_checksum varchar(64) NOT NULL,
    state text NOT NULL CHECK (state IN ('started', 'done')),
    noted jsonb NOT NULL,
    run text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    ended_at timestamptz,
    PRIMARY KEY (version, direction, batch)
)

-- name: read
SELECT version, direction, batch, statement, statements, sql, checksum, file_checksum, state,
    noted::text, run, started_at
FROM {journal}
ORDER BY version, direction, batch

-- name: write
-- The CASE is the one of ledger.sql: nothing is written by a run that has lost its lock.
INSERT INTO {journal} AS j (
    version, direction, batch, statement, statements, sql, checksum, file_checksum, state, noted, run,
    ended_at
)
SELECT
    %(version)s, %(direction)s, %(batch)s, %(statement)s, %(statements)s, %(sql)s, %(checksum)s,
    %(file_checksum)s,
    CASE WHEN {lock_held} THEN %(state)s
        ELSE ('run lock lost in backend ' || pg_catalog.pg_backend_pid())::pg_catalog.int4::pg_catalog.text
    END,
    %(noted)s::pg_catalog.jsonb,
    %(run)s,
    CASE WHEN %(state)s = 'done' THEN pg_catalog.clock_timestamp() END
ON CONFLICT (version, direction, batch) DO UPDATE SET
    state = excluded.state, ended_at = excluded.ended_at, run = excluded.run,
    sql = excluded.sql, checksum = excluded.checksum, file_checksum = excluded.file_checksum,
    statement = excluded.statement, statements = excluded.statements, noted = excluded.noted,
    started_at = CASE WHEN excluded.state = 'started' THEN excluded.started_at ELSE j.started_at END
RETURNING version

-- name: forget
DELETE FROM {journal}
WHERE version = %(version)s AND direction = %(direction)s
    AND (%(batch)s::pg_catalog.int4 IS NULL OR batch = %(batch)s::pg_catalog.int4)
