-- Everything a migration can leave behind, one row an object: kind, name, definition, valid.
-- Names are quoted where SQL needs it. Objects of extensions and of PostgreSQL itself are left out,
-- and so are those that belong to another object, such as the functions of a range type.
WITH member AS (
    SELECT classid, objid FROM pg_catalog.pg_depend
    WHERE deptype = 'e' OR (deptype = 'i' AND classid = 'pg_catalog.pg_proc'::regclass)
),
own AS (
    SELECT n.oid, quote_ident(n.nspname) AS schema
    FROM pg_catalog.pg_namespace AS n
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND ('pg_catalog.pg_namespace'::regclass, n.oid) NOT IN (SELECT classid, objid FROM member)
),
relation AS (
    SELECT c.*, n.schema, n.schema || '.' || quote_ident(c.relname) AS name
    FROM pg_catalog.pg_class AS c JOIN own AS n ON n.oid = c.relnamespace
    WHERE ('pg_catalog.pg_class'::regclass, c.oid) NOT IN (SELECT classid, objid FROM member)
)
SELECT 'schema', schema, '', true
FROM own
UNION ALL
SELECT 'extension', quote_ident(extname), extversion, true
FROM pg_catalog.pg_extension
UNION ALL
SELECT
    CASE c.relkind
        WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view'
        WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'
        ELSE 'composite type'
    END,
    c.name,
    concat_ws(' ', c.relkind, c.relpersistence, c.reloptions::text,
        CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END,
        CASE WHEN c.relrowsecurity THEN 'rls' END,
        CASE WHEN c.relforcerowsecurity THEN 'forced' END,
        'replica identity ' || nullif(c.relreplident::text, 'd'),
        'partition by ' || pg_catalog.pg_get_partkeydef(c.oid),
        pg_catalog.pg_get_expr(c.relpartbound, c.oid),
        'inherits ' || (
            SELECT string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno)
            FROM pg_catalog.pg_inherits WHERE inhrelid = c.oid
        )),
    true
FROM relation AS c
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
UNION ALL
SELECT
    'sequence', c.name,
    concat_ws(' ', c.relpersistence, pg_catalog.format_type(s.seqtypid, NULL), s.seqstart,
        s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle),
    true
FROM relation AS c JOIN pg_catalog.pg_sequence AS s ON s.seqrelid = c.oid
UNION ALL
SELECT
    'column',
    c.name || '.' || quote_ident(a.attname),
    concat_ws(' ', pg_catalog.format_type(a.atttypid, a.atttypmod),
        'collate ' || nullif(a.attcollation, t.typcollation)::regcollation::text,
        CASE WHEN a.attnotnull THEN 'not null' END,
        'default ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid),
        'identity ' || nullif(a.attidentity::text, ''),
        'generated ' || nullif(a.attgenerated::text, '')),
    true
FROM relation AS c
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
UNION ALL
-- The index of a partitioned table is not valid until each partition has its own; nothing failed.
SELECT
    'index', c.schema || '.' || quote_ident(x.relname), pg_catalog.pg_get_indexdef(i.indexrelid),
    i.indisvalid OR x.relkind = 'I'
FROM relation AS c
JOIN pg_catalog.pg_index AS i ON i.indrelid = c.oid
JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
UNION ALL
SELECT
    'constraint', c.name || '.' || quote_ident(k.conname),
    pg_catalog.pg_get_constraintdef(k.oid), k.convalidated
FROM relation AS c JOIN pg_catalog.pg_constraint AS k ON k.conrelid = c.oid
WHERE k.contype IN ('p', 'u', 'f', 'c', 'x')
UNION ALL
SELECT
    'constraint', n.schema || '.' || quote_ident(t.typname) || '.' || quote_ident(k.conname),
    pg_catalog.pg_get_constraintdef(k.oid), k.convalidated
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_type AS t ON t.oid = k.contypid
JOIN own AS n ON n.oid = t.typnamespace
WHERE k.contype = 'c'
    AND ('pg_catalog.pg_type'::regclass, t.oid) NOT IN (SELECT classid, objid FROM member)
UNION ALL
SELECT
    'function',
    n.schema || '.' || quote_ident(p.proname)
        || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')',
    CASE WHEN g.aggfnoid IS NULL THEN pg_catalog.pg_get_functiondef(p.oid)
        ELSE concat_ws(' ', 'aggregate', g.aggkind, g.aggtransfn, g.aggtranstype::regtype,
            g.aggfinalfn, g.aggcombinefn, g.aggsortop, g.agginitval)
    END,
    true
FROM pg_catalog.pg_proc AS p
JOIN own AS n ON n.oid = p.pronamespace
LEFT JOIN pg_catalog.pg_aggregate AS g ON g.aggfnoid = p.oid
WHERE ('pg_catalog.pg_proc'::regclass, p.oid) NOT IN (SELECT classid, objid FROM member)
UNION ALL
SELECT
    'trigger', c.name || '.' || quote_ident(t.tgname),
    concat_ws(' ', pg_catalog.pg_get_triggerdef(t.oid), t.tgenabled), true
FROM relation AS c JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = c.oid
WHERE NOT t.tgisinternal
UNION ALL
SELECT
    'rule', c.name || '.' || quote_ident(r.rulename),
    concat_ws(' ', pg_catalog.pg_get_ruledef(r.oid), r.ev_enabled), true
FROM relation AS c JOIN pg_catalog.pg_rewrite AS r ON r.ev_class = c.oid
WHERE r.rulename <> '_RETURN'
UNION ALL
SELECT
    'policy',
    quote_ident(schemaname) || '.' || quote_ident(tablename) || '.' || quote_ident(policyname),
    concat_ws(' ', permissive, roles::text, cmd, qual, with_check), true
FROM pg_catalog.pg_policies
UNION ALL
SELECT
    'type', n.schema || '.' || quote_ident(t.typname),
    CASE t.typtype
        WHEN 'e' THEN (
            SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
            FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = t.oid
        )
        WHEN 'r' THEN (
            SELECT concat_ws(' ', 'range of', pg_catalog.format_type(r.rngsubtype, NULL),
                nullif(r.rngcollation, 0)::regcollation, nullif(r.rngcanonical, 0),
                nullif(r.rngsubdiff, 0))
            FROM pg_catalog.pg_range AS r WHERE r.rngtypid = t.oid
        )
        ELSE concat_ws(' ', 'domain of', pg_catalog.format_type(t.typbasetype, t.typtypmod),
            'collate ' || nullif(t.typcollation, 0)::regcollation::text,
            CASE WHEN t.typnotnull THEN 'not null' END, 'default ' || t.typdefault)
    END,
    true
FROM pg_catalog.pg_type AS t JOIN own AS n ON n.oid = t.typnamespace
WHERE t.typtype IN ('e', 'd', 'r')
    AND ('pg_catalog.pg_type'::regclass, t.oid) NOT IN (SELECT classid, objid FROM member)
