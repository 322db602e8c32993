-- What a copy has to know of its source. source.py reads each block; names are unquoted. The copy
-- leaves out what belongs to an extension: CREATE EXTENSION makes it again.

-- name: columns
-- A row a column of each table that holds rows. Types are followed through domains, and those of
-- arrays to their elements.
WITH RECURSIVE chain AS (
    SELECT
        t.oid AS start, t.oid, t.typtype, t.typbasetype, t.typname, t.typcategory, t.typelem,
        t.typlen, t.typtypmod AS typmod, t.typnotnull AS required, t.typtype = 'd' AS domain
    FROM pg_catalog.pg_type AS t
    UNION ALL
    SELECT
        c.start, t.oid, t.typtype, t.typbasetype, t.typname, t.typcategory, t.typelem, t.typlen,
        greatest(c.typmod, t.typtypmod), c.required OR t.typnotnull, true
    FROM chain AS c
    JOIN pg_catalog.pg_type AS t ON c.typtype = 'd' AND t.oid = c.typbasetype
),
kind AS (SELECT * FROM chain WHERE typtype <> 'd')
SELECT
    a.attrelid, a.attname, coalesce(e.typname || '[]', k.typname), k.oid, k.domain,
    CASE
        WHEN k.typname IN ('varchar', 'bpchar') THEN
            nullif(greatest(a.atttypmod, k.typmod), -1) - 4
    END,
    NOT (a.attnotnull OR k.required),
    ARRAY(
        SELECT l.enumlabel::text FROM pg_catalog.pg_enum AS l
        WHERE l.enumtypid = coalesce(e.oid, k.oid) ORDER BY l.enumsortorder
    ),
    a.attgenerated = '', a.attidentity = 'a',
    ARRAY(
        SELECT s.attname::text
        FROM pg_catalog.pg_attrdef AS f
        JOIN pg_catalog.pg_depend AS d
            ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = f.oid
            AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = a.attrelid
        JOIN pg_catalog.pg_attribute AS s
            ON s.attrelid = a.attrelid AND s.attnum = d.refobjsubid AND s.attnum <> a.attnum
        WHERE f.adrelid = a.attrelid AND f.adnum = a.attnum AND a.attgenerated <> ''
        ORDER BY s.attnum
    ),
    pg_catalog.format_type(a.atttypid, a.atttypmod),
    pg_catalog.col_description(a.attrelid, a.attnum)
FROM pg_catalog.pg_attribute AS a
JOIN kind AS k ON k.start = a.atttypid
LEFT JOIN kind AS e
    ON k.typcategory = 'A' AND k.typlen = -1 AND k.typelem <> 0 AND e.start = k.typelem
WHERE a.attrelid = ANY (%(tables)s::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum

-- name: relations
-- What could hold rows, with all that decides whether the copy takes it.
SELECT
    c.oid, n.nspname, c.relname, c.relkind::text, c.relpersistence::text, c.reltuples, c.relpages,
    CASE WHEN c.relkind = 'r' AND c.oid <> ALL (%(locked)s::bigint[])
        THEN pg_catalog.pg_relation_size(c.oid) ELSE 0 END,
    CASE WHEN c.relkind = 'r' AND c.oid <> ALL (%(locked)s::bigint[])
        THEN pg_catalog.pg_table_size(c.oid) ELSE 0 END,
    ARRAY(
        SELECT r.relid::oid FROM pg_catalog.pg_partition_ancestors(c.oid) AS r (relid)
        WHERE c.relispartition AND r.relid <> c.oid
    ),
    pg_catalog.has_table_privilege(c.oid, 'SELECT'),
    c.relkind = 'r' AND pg_catalog.row_security_active(c.oid),
    EXISTS (
        SELECT FROM pg_catalog.pg_depend AS d
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    ),
    pg_catalog.pg_is_in_recovery(),
    pg_catalog.obj_description(c.oid, 'pg_class')
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'm')
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY n.nspname, c.relname

-- name: keys
-- A row a unique index. Of one over expressions, the columns that they read.
SELECT
    i.indrelid, x.relname, i.indisprimary,
    i.indpred IS NOT NULL, 0 = ANY (i.indkey),
    CASE WHEN 0 = ANY (i.indkey) THEN ARRAY(
        SELECT DISTINCT a.attname::text
        FROM pg_catalog.pg_depend AS d
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = i.indexrelid
            AND d.refobjid = i.indrelid AND d.refobjsubid > 0
        ORDER BY 1
    ) ELSE ARRAY(
        SELECT a.attname::text
        FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number
        WHERE k.place <= i.indnkeyatts ORDER BY k.place
    ) END
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
WHERE i.indrelid = ANY (%(tables)s::oid[]) AND i.indisunique AND i.indisvalid
ORDER BY i.indrelid, NOT i.indisprimary, x.relname

-- name: foreign_keys
-- Those of a partitioned table once, not again for each partition.
SELECT
    k.conname, k.conrelid, k.confrelid,
    ARRAY(
        SELECT a.attname::text
        FROM unnest(k.conkey) WITH ORDINALITY AS n (number, place)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = n.number
        ORDER BY n.place
    ),
    ARRAY(
        SELECT a.attname::text
        FROM unnest(k.confkey) WITH ORDINALITY AS n (number, place)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = n.number
        ORDER BY n.place
    )
FROM pg_catalog.pg_constraint AS k
WHERE k.contype = 'f' AND k.conparentid = 0
    AND k.conrelid = ANY (%(relations)s::oid[]) AND k.confrelid = ANY (%(relations)s::oid[])
ORDER BY k.conrelid::regclass::text, k.conname

-- name: partition_keys
-- The columns that decide which partition a row is in; of expressions, those that they read.
SELECT p.partrelid, a.attname
FROM pg_catalog.pg_partitioned_table AS p
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = p.partrelid AND a.attnum > 0
WHERE p.partrelid = ANY (%(relations)s::oid[]) AND (
    a.attnum = ANY (p.partattrs::int2[]) OR EXISTS (
        SELECT FROM pg_catalog.pg_depend AS d
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = d.classid
            AND d.objid = p.partrelid AND d.refobjid = p.partrelid AND d.deptype = 'i'
            AND d.objsubid = a.attnum AND d.refobjsubid = 0
    )
)

-- name: large_objects
SELECT count(*) FROM pg_catalog.pg_largeobject_metadata
