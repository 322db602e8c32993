-- Everything a migration can leave behind, one row an object: kind, name, definition, valid.
-- Objects of extensions and of PostgreSQL itself are left out.
WITH own AS (
    SELECT n.oid, n.nspname
    FROM pg_catalog.pg_namespace AS n
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
),
extension_member AS (
    SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'
)
SELECT 'schema', n.nspname, '', true
FROM own AS n
UNION ALL
SELECT 'extension', e.extname, e.extversion, true
FROM pg_catalog.pg_extension AS e
UNION ALL
SELECT
    CASE c.relkind
        WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view'
        WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table'
        ELSE 'composite type'
    END,
    n.nspname || '.' || c.relname,
    CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid)
        ELSE concat_ws(' ', c.relkind, c.relpersistence, CASE WHEN c.relrowsecurity THEN 'rls' END,
            c.reloptions::text, pg_catalog.pg_get_partkeydef(c.oid))
    END,
    true
FROM pg_catalog.pg_class AS c JOIN own AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
    AND ('pg_class'::regclass, c.oid) NOT IN (SELECT classid, objid FROM extension_member)
UNION ALL
SELECT
    'column',
    n.nspname || '.' || c.relname || '.' || a.attname,
    concat_ws(' ', pg_catalog.format_type(a.atttypid, a.atttypmod),
        CASE WHEN a.attnotnull THEN 'not null' END,
        'default ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid),
        'identity ' || nullif(a.attidentity::text, ''), 'generated ' || nullif(a.attgenerated::text, '')),
    true
FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
JOIN own AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
    AND ('pg_class'::regclass, c.oid) NOT IN (SELECT classid, objid FROM extension_member)
UNION ALL
SELECT
    'index', n.nspname || '.' || c.relname, pg_catalog.pg_get_indexdef(i.indexrelid), i.indisvalid
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
JOIN own AS n ON n.oid = c.relnamespace
UNION ALL
SELECT
    'constraint',
    n.nspname || '.' || coalesce(r.relname, t.typname) || '.' || k.conname,
    pg_catalog.pg_get_constraintdef(k.oid),
    k.convalidated
FROM pg_catalog.pg_constraint AS k
JOIN own AS n ON n.oid = k.connamespace
LEFT JOIN pg_catalog.pg_class AS r ON r.oid = k.conrelid
LEFT JOIN pg_catalog.pg_type AS t ON t.oid = k.contypid
WHERE k.contype IN ('p', 'u', 'f', 'c', 'x')
UNION ALL
SELECT
    'function',
    n.nspname || '.' || p.proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')',
    CASE WHEN p.prokind = 'a' THEN 'aggregate' ELSE pg_catalog.pg_get_functiondef(p.oid) END,
    true
FROM pg_catalog.pg_proc AS p JOIN own AS n ON n.oid = p.pronamespace
WHERE ('pg_proc'::regclass, p.oid) NOT IN (SELECT classid, objid FROM extension_member)
UNION ALL
SELECT
    'trigger', n.nspname || '.' || c.relname || '.' || t.tgname, pg_catalog.pg_get_triggerdef(t.oid), true
FROM pg_catalog.pg_trigger AS t
JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
JOIN own AS n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal
UNION ALL
SELECT
    'policy', schemaname || '.' || tablename || '.' || policyname,
    concat_ws(' ', permissive, roles::text, cmd, qual, with_check), true
FROM pg_catalog.pg_policies
UNION ALL
SELECT
    'type', n.nspname || '.' || t.typname,
    CASE t.typtype
        WHEN 'e' THEN (
            SELECT string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder)
            FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = t.oid
        )
        ELSE concat_ws(' ', t.typtype, pg_catalog.format_type(t.typbasetype, t.typtypmod))
    END,
    true
FROM pg_catalog.pg_type AS t JOIN own AS n ON n.oid = t.typnamespace
WHERE t.typtype IN ('e', 'd', 'r')
    AND ('pg_type'::regclass, t.oid) NOT IN (SELECT classid, objid FROM extension_member)
