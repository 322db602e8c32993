-- name: locate
SELECT pg_catalog.has_table_privilege(c.oid, 'SELECT'),
    pg_catalog.has_table_privilege(c.oid, 'INSERT')
    AND pg_catalog.has_table_privilege(c.oid, 'UPDATE')
    AND pg_catalog.has_table_privilege(c.oid, 'DELETE')
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s

-- name: create
CREATE TABLE IF NOT EXISTS {files} (
    version varchar(255) PRIMARY KEY,
    applied_at timestamptz NOT NULL,
    up_text text,
    down_checksum varchar(64),
    down_text text
)

-- name: keep
-- With the time of the ledger row; a row whose time differs is about an earlier life of the
-- version, before another tool took it back and applied it again.
INSERT INTO {files} (version, applied_at, up_text, down_checksum, down_text)
SELECT l.version, l.applied_at, n.up_text, n.down_checksum, n.down_text
FROM ROWS FROM (
    unnest(%(version)s::text[]), unnest(%(up_text)s::text[]), unnest(%(down_checksum)s::text[]),
    unnest(%(down_text)s::text[])
) AS n (version, up_text, down_checksum, down_text)
JOIN {ledger} AS l ON l.version = n.version
ON CONFLICT (version) DO UPDATE SET
    applied_at = excluded.applied_at,
    up_text = excluded.up_text,
    down_checksum = excluded.down_checksum,
    down_text = excluded.down_text

-- name: forget
DELETE FROM {files} WHERE version = %(version)s

-- name: read
SELECT f.version, f.down_checksum
FROM {files} AS f
JOIN {ledger} AS l ON l.version = f.version AND l.applied_at = f.applied_at

-- name: read_texts
SELECT f.version, f.up_text, f.down_text
FROM {files} AS f
JOIN {ledger} AS l ON l.version = f.version AND l.applied_at = f.applied_at
WHERE f.version = ANY (%s)
