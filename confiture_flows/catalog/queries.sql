-- Everything a migration can leave behind, one row an object: kind, name, definition, valid, the
-- object it is a part of, and a column's place. Names are quoted where SQL needs it. snapshot.py
-- joins the parts that the server's version knows (from, until: major versions) and that the
-- database may have something for (needs: a catalog with a row of its own) by UNION ALL.

-- part: common
WITH member AS (
    -- Two queries, since each has an index: pg_depend is large.
    SELECT classid, objid FROM pg_catalog.pg_depend
    WHERE refclassid = 'pg_catalog.pg_extension'::regclass AND deptype = 'e'
    UNION ALL
    SELECT classid, objid FROM pg_catalog.pg_depend
    WHERE deptype = 'i'
        AND classid IN ('pg_catalog.pg_proc'::regclass, 'pg_catalog.pg_cast'::regclass)
),
own AS (
    SELECT n.oid, n.nspname, quote_ident(n.nspname) AS schema
    FROM pg_catalog.pg_namespace AS n
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND ('pg_catalog.pg_namespace'::regclass, n.oid) NOT IN (SELECT classid, objid FROM member)
),
relation AS (
    SELECT c.*, n.schema, n.schema || '.' || quote_ident(c.relname) AS name
    FROM pg_catalog.pg_class AS c JOIN own AS n ON n.oid = c.relnamespace
    WHERE ('pg_catalog.pg_class'::regclass, c.oid) NOT IN (SELECT classid, objid FROM member)
        AND (
            n.nspname = %(schema)s
            AND (c.relname = %(ledger)s OR starts_with(c.relname, %(ledger)s || '_'))
        ) IS NOT TRUE
        -- restricted to relations
)

-- part: schemas
SELECT 'schema', schema, '', true, '', 0
FROM own

-- part: extensions
SELECT 'extension', quote_ident(extname), extversion, true, '', 0
FROM pg_catalog.pg_extension

-- part: relations
SELECT
    CASE c.relkind
        WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view'
        WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'
        ELSE 'composite type'
    END,
    c.name,
    concat_ws(' ',
        CASE c.relkind WHEN 'p' THEN 'partitioned' END,
        CASE c.relpersistence WHEN 'u' THEN 'unlogged' END,
        'with ' || c.reloptions::text,
        'toast with ' || (
            SELECT t.reloptions::text FROM pg_catalog.pg_class AS t WHERE t.oid = c.reltoastrelid
        ),
        CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END,
        'using ' || (
            SELECT nullif(m.amname, 'heap') FROM pg_catalog.pg_am AS m WHERE m.oid = c.relam
        ),
        'tablespace ' || (
            SELECT quote_ident(s.spcname) FROM pg_catalog.pg_tablespace AS s
            WHERE s.oid = c.reltablespace
        ),
        'of ' || nullif(c.reloftype, 0)::regtype::text,
        CASE WHEN c.relrowsecurity THEN 'row security' END,
        CASE WHEN c.relforcerowsecurity THEN 'forced' END,
        CASE c.relreplident
            WHEN 'n' THEN 'replica identity nothing' WHEN 'f' THEN 'replica identity full'
        END,
        'partition by ' || pg_catalog.pg_get_partkeydef(c.oid),
        pg_catalog.pg_get_expr(c.relpartbound, c.oid),
        'inherits ' || (
            SELECT string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno)
            FROM pg_catalog.pg_inherits WHERE inhrelid = c.oid
        )),
    true, '', 0
FROM relation AS c
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')

-- part: sequences
SELECT
    'sequence', c.name,
    concat_ws(' ',
        CASE c.relpersistence WHEN 'u' THEN 'unlogged' END,
        pg_catalog.format_type(s.seqtypid, NULL), 'start', s.seqstart,
        'increment', s.seqincrement, 'min', s.seqmin, 'max', s.seqmax, 'cache', s.seqcache,
        CASE WHEN s.seqcycle THEN 'cycle' END,
        'owned by ' || o.owner),
    true, coalesce(o.owner, ''), 0
FROM relation AS c
JOIN pg_catalog.pg_sequence AS s ON s.seqrelid = c.oid
LEFT JOIN LATERAL (
    SELECT d.refobjid::regclass || '.' || quote_ident(a.attname) AS owner
    FROM pg_catalog.pg_depend AS d
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
        AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')
) AS o ON true

-- part: columns
-- Apart from a composite type's, whose values are written in the order of its columns, the order
-- of columns is told by their place alone.
SELECT
    'column',
    c.name || '.' || quote_ident(a.attname),
    concat_ws(' ', pg_catalog.format_type(a.atttypid, a.atttypmod),
        'collate ' || nullif(a.attcollation, t.typcollation)::regcollation::text,
        CASE WHEN a.attnotnull THEN 'not null' END,
        CASE a.attgenerated
            WHEN 's' THEN 'generated stored ' WHEN 'v' THEN 'generated virtual ' ELSE 'default '
        END || pg_catalog.pg_get_expr(d.adbin, d.adrelid),
        CASE a.attidentity
            WHEN 'a' THEN 'identity always' WHEN 'd' THEN 'identity by default'
        END,
        CASE WHEN c.relkind = 'c' THEN 'column ' || a.attnum END),
    true, c.name, a.attnum
FROM relation AS c
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')

-- part: column_settings
-- Some servers (15.20) keep a number among the options, pg_attver, which changes by itself.
SELECT
    'column settings',
    c.name || '.' || quote_ident(a.attname),
    concat_ws(' ',
        CASE WHEN c.relkind IN ('r', 'p', 'm', 'f') THEN
            CASE nullif(a.attstorage, t.typstorage)
                WHEN 'p' THEN 'storage plain' WHEN 'e' THEN 'storage external'
                WHEN 'm' THEN 'storage main' WHEN 'x' THEN 'storage extended'
            END
        END,
        'statistics ' || nullif(a.attstattarget, -1),
        'with ' || kept.options::text,
        'options ' || a.attfdwoptions::text),
    true, c.name, 0
FROM relation AS c
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
CROSS JOIN LATERAL (
    SELECT nullif(array(
        SELECT o.option FROM unnest(a.attoptions) AS o (option)
        WHERE NOT starts_with(o.option, 'pg_attver=')
    ), '{}') AS options
) AS kept
WHERE a.attnum > 0 AND NOT a.attisdropped AND (
    (a.attstorage <> t.typstorage AND c.relkind IN ('r', 'p', 'm', 'f'))
    OR nullif(a.attstattarget, -1) IS NOT NULL
    OR kept.options IS NOT NULL OR a.attfdwoptions IS NOT NULL
)

-- part: column_compression from 14
SELECT
    'column compression',
    c.name || '.' || quote_ident(a.attname),
    CASE a.attcompression WHEN 'l' THEN 'lz4' ELSE 'pglz' END,
    true, c.name, 0
FROM relation AS c JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attcompression <> ''

-- part: indexes
SELECT
    'index', c.schema || '.' || quote_ident(x.relname),
    concat_ws(' ', pg_catalog.pg_get_indexdef(i.indexrelid),
        'tablespace ' || (
            SELECT quote_ident(s.spcname) FROM pg_catalog.pg_tablespace AS s
            WHERE s.oid = x.reltablespace
        ),
        CASE WHEN i.indisclustered THEN 'clustered' END,
        CASE WHEN i.indisreplident THEN 'replica identity' END),
    i.indisvalid, c.name || coalesce('.' || quote_ident(k.conname), ''), 0
FROM relation AS c
JOIN pg_catalog.pg_index AS i ON i.indrelid = c.oid
JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
LEFT JOIN pg_catalog.pg_constraint AS k
    ON k.conindid = i.indexrelid AND k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x')

-- part: constraints
-- What is not enforced needs no validation, and what is inherited is validated with its parent.
-- The names of NOT NULL constraints (18) are left out: they depend on how a server was upgraded.
SELECT
    'constraint', c.name || '.' || quote_ident(k.conname),
    pg_catalog.pg_get_constraintdef(k.oid) || CASE
        WHEN k.contype = 'f' AND EXISTS (
            SELECT FROM pg_catalog.pg_trigger AS t
            WHERE t.tgconstraint = k.oid AND t.tgenabled = 'D'
        ) THEN ' (its triggers are disabled)' ELSE '' END,
    k.convalidated OR k.coninhcount > 0
        OR pg_catalog.pg_get_constraintdef(k.oid) LIKE '%% NOT ENFORCED',
    c.name, 0
FROM relation AS c JOIN pg_catalog.pg_constraint AS k ON k.conrelid = c.oid
WHERE k.contype IN ('p', 'u', 'f', 'c', 'x')
    OR (k.contype = 'n' AND (NOT k.convalidated OR k.connoinherit))

-- part: domain_constraints
SELECT
    'domain constraint', n.schema || '.' || quote_ident(t.typname) || '.' || quote_ident(k.conname),
    pg_catalog.pg_get_constraintdef(k.oid), k.convalidated,
    n.schema || '.' || quote_ident(t.typname), 0
FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_type AS t ON t.oid = k.contypid
JOIN own AS n ON n.oid = t.typnamespace
WHERE k.contype = 'c' AND k.contypid >= 16384
    AND ('pg_catalog.pg_type'::regclass, t.oid) NOT IN (SELECT classid, objid FROM member)

-- part: functions
SELECT
    'function',
    n.schema || '.' || quote_ident(p.proname)
        || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')',
    CASE WHEN g.aggfnoid IS NULL THEN pg_catalog.pg_get_functiondef(p.oid)
        ELSE concat_ws(' ', g.aggkind, g.aggtransfn, g.aggtranstype::regtype, g.aggtransspace,
            g.aggfinalfn, g.aggfinalextra, g.aggfinalmodify, g.aggcombinefn,
            g.aggserialfn, g.aggdeserialfn, g.aggmtransfn,
            g.aggminvtransfn, nullif(g.aggmtranstype, 0)::regtype, g.aggmtransspace,
            g.aggmfinalfn, g.aggmfinalextra, g.aggmfinalmodify,
            nullif(g.aggsortop, 0)::regoperator, quote_literal(g.agginitval),
            quote_literal(g.aggminitval), p.proparallel)
    END,
    true, '', 0
FROM pg_catalog.pg_proc AS p
JOIN own AS n ON n.oid = p.pronamespace
LEFT JOIN pg_catalog.pg_aggregate AS g ON g.aggfnoid = p.oid
-- Nothing that is numbered lower is ours, and there are thousands of those.
WHERE p.oid >= 16384
    AND ('pg_catalog.pg_proc'::regclass, p.oid) NOT IN (SELECT classid, objid FROM member)

-- part: triggers
SELECT
    'trigger', c.name || '.' || quote_ident(t.tgname),
    concat_ws(' ', pg_catalog.pg_get_triggerdef(t.oid),
        CASE t.tgenabled
            WHEN 'D' THEN '(disabled)' WHEN 'R' THEN '(on replicas)' WHEN 'A' THEN '(always)'
        END),
    true, c.name, 0
FROM relation AS c JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = c.oid
WHERE NOT t.tgisinternal

-- part: rules
SELECT
    'rule', c.name || '.' || quote_ident(r.rulename),
    concat_ws(' ', pg_catalog.pg_get_ruledef(r.oid),
        CASE r.ev_enabled
            WHEN 'D' THEN '(disabled)' WHEN 'R' THEN '(on replicas)' WHEN 'A' THEN '(always)'
        END),
    true, c.name, 0
FROM relation AS c JOIN pg_catalog.pg_rewrite AS r ON r.ev_class = c.oid
WHERE r.rulename <> '_RETURN'

-- part: policies
SELECT
    'policy', c.name || '.' || quote_ident(p.polname),
    concat_ws(' ',
        CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
        CASE p.polcmd
            WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update'
            WHEN 'd' THEN 'delete' ELSE 'all'
        END,
        'to ' || (
            SELECT string_agg(coalesce(quote_ident(r.rolname), 'public'), ', ' ORDER BY r.rolname)
            FROM unnest(p.polroles) AS u (oid) LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = u.oid
        ),
        'using (' || pg_catalog.pg_get_expr(p.polqual, p.polrelid) || ')',
        'with check (' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) || ')'),
    true, c.name, 0
FROM relation AS c JOIN pg_catalog.pg_policy AS p ON p.polrelid = c.oid

-- part: types
SELECT
    'type', n.schema || '.' || quote_ident(t.typname),
    CASE t.typtype
        WHEN 'e' THEN 'enum ' || (
            SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
            FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = t.oid
        )
        WHEN 'r' THEN (
            SELECT concat_ws(' ', 'range of', pg_catalog.format_type(r.rngsubtype, NULL),
                nullif(r.rngcollation, 0)::regcollation, r.rngcanonical,
                r.rngsubdiff,
                -- Since 14; so that the column need not be there.
                'multirange ' || (to_jsonb(r) ->> 'rngmultitypid')::oid::regtype)
            FROM pg_catalog.pg_range AS r WHERE r.rngtypid = t.oid
        )
        WHEN 'b' THEN concat_ws(' ', 'base type', t.typinput, t.typoutput,
            t.typreceive, t.typsend, t.typmodin,
            t.typmodout, t.typanalyze, t.typlen, t.typbyval, t.typalign,
            t.typstorage, t.typcategory, t.typispreferred, t.typdelim,
            nullif(t.typelem, 0)::regtype, 'default ' || t.typdefault)
        ELSE concat_ws(' ', 'domain of', pg_catalog.format_type(t.typbasetype, t.typtypmod),
            'collate ' || nullif(t.typcollation, 0)::regcollation::text,
            CASE WHEN t.typnotnull THEN 'not null' END, 'default ' || t.typdefault)
    END,
    true, '', 0
FROM pg_catalog.pg_type AS t JOIN own AS n ON n.oid = t.typnamespace
WHERE t.oid >= 16384
    AND (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'b' AND t.typcategory <> 'A'))
    AND ('pg_catalog.pg_type'::regclass, t.oid) NOT IN (SELECT classid, objid FROM member)

-- part: extended_statistics needs pg_statistic_ext
SELECT
    'statistics', n.schema || '.' || quote_ident(s.stxname),
    concat_ws(' ', pg_catalog.pg_get_statisticsobjdef(s.oid), 'target ' || nullif(s.stxstattarget, -1)),
    true, c.name, 0
FROM pg_catalog.pg_statistic_ext AS s
JOIN own AS n ON n.oid = s.stxnamespace
JOIN relation AS c ON c.oid = s.stxrelid

-- part: foreign_tables needs pg_foreign_table
SELECT
    'foreign table settings', c.name,
    concat_ws(' ', 'server', quote_ident(s.srvname), t.ftoptions::text), true, c.name, 0
FROM pg_catalog.pg_foreign_table AS t
JOIN relation AS c ON c.oid = t.ftrelid
JOIN pg_catalog.pg_foreign_server AS s ON s.oid = t.ftserver

-- part: foreign_servers needs pg_foreign_server
SELECT
    'server', quote_ident(s.srvname),
    concat_ws(' ', quote_ident(w.fdwname), s.srvtype, s.srvversion, s.srvoptions::text), true, '', 0
FROM pg_catalog.pg_foreign_server AS s
JOIN pg_catalog.pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw
WHERE ('pg_catalog.pg_foreign_server'::regclass, s.oid) NOT IN (SELECT classid, objid FROM member)

-- part: user_mappings needs pg_foreign_server
-- Without their options, which hold passwords.
SELECT
    'user mapping', quote_ident(m.srvname) || ' for ' || quote_ident(m.usename), '', true,
    quote_ident(m.srvname), 0
FROM pg_catalog.pg_user_mappings AS m

-- part: foreign_data_wrappers needs pg_foreign_data_wrapper
SELECT
    'foreign data wrapper', quote_ident(w.fdwname),
    concat_ws(' ', nullif(w.fdwhandler, 0)::regproc, nullif(w.fdwvalidator, 0)::regproc,
        w.fdwoptions::text),
    true, '', 0
FROM pg_catalog.pg_foreign_data_wrapper AS w
WHERE ('pg_catalog.pg_foreign_data_wrapper'::regclass, w.oid)
    NOT IN (SELECT classid, objid FROM member)

-- part: event_triggers needs pg_event_trigger
SELECT
    'event trigger', quote_ident(e.evtname),
    concat_ws(' ', 'on', e.evtevent, e.evttags::text, e.evtfoid::regproc,
        CASE e.evtenabled
            WHEN 'D' THEN '(disabled)' WHEN 'R' THEN '(on replicas)' WHEN 'A' THEN '(always)'
        END),
    true, '', 0
FROM pg_catalog.pg_event_trigger AS e
WHERE ('pg_catalog.pg_event_trigger'::regclass, e.oid) NOT IN (SELECT classid, objid FROM member)

-- part: publications needs pg_publication
SELECT
    'publication', quote_ident(p.pubname),
    concat_ws(' ',
        CASE WHEN p.puballtables THEN 'all tables' END,
        CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
        CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END,
        CASE WHEN p.pubviaroot THEN 'via root' END,
        -- Since 18; so that the column need not be there.
        'generated columns ' || nullif(to_jsonb(p) ->> 'pubgencols', 'n')),
    true, '', 0
FROM pg_catalog.pg_publication AS p
WHERE ('pg_catalog.pg_publication'::regclass, p.oid) NOT IN (SELECT classid, objid FROM member)

-- part: published_tables until 14 needs pg_publication
SELECT
    'publication table', quote_ident(p.pubname) || ' of ' || c.name, '', true,
    quote_ident(p.pubname), 0
FROM pg_catalog.pg_publication_rel AS r
JOIN pg_catalog.pg_publication AS p ON p.oid = r.prpubid
JOIN relation AS c ON c.oid = r.prrelid

-- part: published_parts from 15 needs pg_publication
SELECT
    'publication table', quote_ident(p.pubname) || ' of ' || c.name,
    concat_ws(' ',
        '(' || (
            SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname)
            FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs)
        ) || ')',
        'where ' || pg_catalog.pg_get_expr(r.prqual, r.prrelid)),
    true, quote_ident(p.pubname), 0
FROM pg_catalog.pg_publication_rel AS r
JOIN pg_catalog.pg_publication AS p ON p.oid = r.prpubid
JOIN relation AS c ON c.oid = r.prrelid

-- part: published_schemas from 15 needs pg_publication
SELECT
    'publication schema', quote_ident(p.pubname) || ' of ' || n.schema, '', true,
    quote_ident(p.pubname), 0
FROM pg_catalog.pg_publication_namespace AS r
JOIN pg_catalog.pg_publication AS p ON p.oid = r.pnpubid
JOIN own AS n ON n.oid = r.pnnspid

-- part: casts needs pg_cast
SELECT
    'cast',
    pg_catalog.format_type(k.castsource, NULL) || ' as '
        || pg_catalog.format_type(k.casttarget, NULL),
    concat_ws(' ',
        CASE k.castmethod
            WHEN 'f' THEN 'with ' || k.castfunc::regprocedure
            WHEN 'i' THEN 'with inout' ELSE 'without function'
        END,
        CASE k.castcontext WHEN 'a' THEN 'as assignment' WHEN 'i' THEN 'as implicit' END),
    true, '', 0
FROM pg_catalog.pg_cast AS k
WHERE k.oid >= 16384
    AND ('pg_catalog.pg_cast'::regclass, k.oid) NOT IN (SELECT classid, objid FROM member)

-- part: collations needs pg_collation
-- The columns of a collation change with the version; two servers of one version compare.
SELECT
    'collation', n.schema || '.' || quote_ident(l.collname),
    (to_jsonb(l) - '{oid,collname,collnamespace,collowner,collversion}'::text[])::text, true, '', 0
FROM pg_catalog.pg_collation AS l JOIN own AS n ON n.oid = l.collnamespace
WHERE ('pg_catalog.pg_collation'::regclass, l.oid) NOT IN (SELECT classid, objid FROM member)

-- part: conversions needs pg_conversion
SELECT
    'conversion', n.schema || '.' || quote_ident(k.conname),
    concat_ws(' ', pg_catalog.pg_encoding_to_char(k.conforencoding), 'to',
        pg_catalog.pg_encoding_to_char(k.contoencoding), k.conproc,
        CASE WHEN k.condefault THEN 'default' END),
    true, '', 0
FROM pg_catalog.pg_conversion AS k JOIN own AS n ON n.oid = k.connamespace
WHERE ('pg_catalog.pg_conversion'::regclass, k.oid) NOT IN (SELECT classid, objid FROM member)

-- part: operators needs pg_operator
SELECT
    'operator', k.oid::regoperator::text,
    concat_ws(' ', nullif(k.oprresult, 0)::regtype, k.oprcode,
        'commutator ' || nullif(k.oprcom, 0)::regoperator::text,
        'negator ' || nullif(k.oprnegate, 0)::regoperator::text,
        CASE WHEN k.oprcanmerge THEN 'merges' END, CASE WHEN k.oprcanhash THEN 'hashes' END,
        'restrict ' || nullif(k.oprrest, 0)::text, 'join ' || nullif(k.oprjoin, 0)::text),
    true, '', 0
FROM pg_catalog.pg_operator AS k JOIN own AS n ON n.oid = k.oprnamespace
WHERE ('pg_catalog.pg_operator'::regclass, k.oid) NOT IN (SELECT classid, objid FROM member)

-- part: operator_families needs pg_opfamily
SELECT
    'operator family', n.schema || '.' || quote_ident(f.opfname) || ' using ' || m.amname,
    concat_ws('; ',
        (
            SELECT string_agg(concat_ws(' ', o.amopstrategy, o.amopopr::regoperator,
                o.amoppurpose, (
                    SELECT 'by ' || quote_ident(b.opfname) FROM pg_catalog.pg_opfamily AS b
                    WHERE b.oid = o.amopsortfamily
                )), ', '
                ORDER BY o.amopstrategy, o.amopopr::regoperator::text)
            FROM pg_catalog.pg_amop AS o WHERE o.amopfamily = f.oid
        ),
        (
            SELECT string_agg(concat_ws(' ', o.amprocnum, o.amproc::regprocedure), ', '
                ORDER BY o.amprocnum, o.amproc::regprocedure::text)
            FROM pg_catalog.pg_amproc AS o WHERE o.amprocfamily = f.oid
        )),
    true, '', 0
FROM pg_catalog.pg_opfamily AS f
JOIN own AS n ON n.oid = f.opfnamespace
JOIN pg_catalog.pg_am AS m ON m.oid = f.opfmethod
WHERE ('pg_catalog.pg_opfamily'::regclass, f.oid) NOT IN (SELECT classid, objid FROM member)

-- part: operator_classes needs pg_opclass
SELECT
    'operator class', n.schema || '.' || quote_ident(k.opcname) || ' using ' || m.amname,
    concat_ws(' ', k.opcintype::regtype, 'family', quote_ident(f.opfname),
        CASE WHEN k.opcdefault THEN 'default' END, 'storage ' || nullif(k.opckeytype, 0)::regtype),
    true, '', 0
FROM pg_catalog.pg_opclass AS k
JOIN own AS n ON n.oid = k.opcnamespace
JOIN pg_catalog.pg_am AS m ON m.oid = k.opcmethod
JOIN pg_catalog.pg_opfamily AS f ON f.oid = k.opcfamily
WHERE ('pg_catalog.pg_opclass'::regclass, k.oid) NOT IN (SELECT classid, objid FROM member)

-- part: text_search_configurations needs pg_ts_config
SELECT
    'text search configuration', n.schema || '.' || quote_ident(k.cfgname),
    concat_ws(' ', quote_ident(p.prsname), (
        SELECT string_agg(concat_ws(' ', m.maptokentype, m.mapseqno, m.mapdict::regdictionary), ', '
            ORDER BY m.maptokentype, m.mapseqno)
        FROM pg_catalog.pg_ts_config_map AS m WHERE m.mapcfg = k.oid
    )),
    true, '', 0
FROM pg_catalog.pg_ts_config AS k
JOIN own AS n ON n.oid = k.cfgnamespace
JOIN pg_catalog.pg_ts_parser AS p ON p.oid = k.cfgparser
WHERE ('pg_catalog.pg_ts_config'::regclass, k.oid) NOT IN (SELECT classid, objid FROM member)

-- part: text_search_dictionaries needs pg_ts_dict
SELECT
    'text search dictionary', n.schema || '.' || quote_ident(k.dictname),
    concat_ws(' ', quote_ident(t.tmplname), k.dictinitoption), true, '', 0
FROM pg_catalog.pg_ts_dict AS k
JOIN own AS n ON n.oid = k.dictnamespace
JOIN pg_catalog.pg_ts_template AS t ON t.oid = k.dicttemplate
WHERE ('pg_catalog.pg_ts_dict'::regclass, k.oid) NOT IN (SELECT classid, objid FROM member)

-- part: text_search_templates needs pg_ts_template
SELECT
    'text search template', n.schema || '.' || quote_ident(k.tmplname),
    concat_ws(' ', k.tmplinit, k.tmpllexize), true, '', 0
FROM pg_catalog.pg_ts_template AS k JOIN own AS n ON n.oid = k.tmplnamespace
WHERE ('pg_catalog.pg_ts_template'::regclass, k.oid) NOT IN (SELECT classid, objid FROM member)

-- part: text_search_parsers needs pg_ts_parser
SELECT
    'text search parser', n.schema || '.' || quote_ident(k.prsname),
    concat_ws(' ', k.prsstart, k.prstoken, k.prsend, k.prsheadline, k.prslextype),
    true, '', 0
FROM pg_catalog.pg_ts_parser AS k JOIN own AS n ON n.oid = k.prsnamespace
WHERE ('pg_catalog.pg_ts_parser'::regclass, k.oid) NOT IN (SELECT classid, objid FROM member)

-- part: languages needs pg_language
SELECT
    'language', quote_ident(k.lanname),
    concat_ws(' ', CASE WHEN k.lanpltrusted THEN 'trusted' END,
        nullif(k.lanplcallfoid, 0)::regproc, nullif(k.laninline, 0)::regproc,
        nullif(k.lanvalidator, 0)::regproc),
    true, '', 0
FROM pg_catalog.pg_language AS k
WHERE k.oid >= 16384
    AND ('pg_catalog.pg_language'::regclass, k.oid) NOT IN (SELECT classid, objid FROM member)

-- part: transforms needs pg_transform
SELECT
    'transform', pg_catalog.format_type(k.trftype, NULL) || ' for ' || quote_ident(l.lanname),
    concat_ws(' ', k.trffromsql, k.trftosql), true, '', 0
FROM pg_catalog.pg_transform AS k JOIN pg_catalog.pg_language AS l ON l.oid = k.trflang
WHERE ('pg_catalog.pg_transform'::regclass, k.oid) NOT IN (SELECT classid, objid FROM member)

-- part: access_methods needs pg_am
SELECT 'access method', quote_ident(k.amname), concat_ws(' ', k.amtype, k.amhandler), true, '', 0
FROM pg_catalog.pg_am AS k
WHERE k.oid >= 16384
    AND ('pg_catalog.pg_am'::regclass, k.oid) NOT IN (SELECT classid, objid FROM member)

-- part: grants
-- What differs from the rights that an object of its kind has by itself. Who gave them is left out.
SELECT
    x.way,
    i.type || ' ' || i.identity || CASE x.way WHEN 'grant' THEN ' to ' ELSE ' from ' END || x.whom,
    x.privileges, true,
    CASE WHEN a.objsubid = 0 THEN i.identity
        ELSE (pg_catalog.pg_identify_object(a.classid, a.objid, 0)).identity
    END,
    0
FROM (
    SELECT 'pg_catalog.pg_class'::regclass AS classid, c.oid AS objid, 0 AS objsubid, c.relowner AS owner,
        c.relacl AS acl, CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char" AS type
    FROM relation AS c WHERE c.relacl IS NOT NULL
    UNION ALL
    SELECT 'pg_catalog.pg_class'::regclass, c.oid, t.attnum, c.relowner, t.attacl, 'c'
    FROM relation AS c JOIN pg_catalog.pg_attribute AS t ON t.attrelid = c.oid
    WHERE t.attacl IS NOT NULL AND NOT t.attisdropped
    UNION ALL
    SELECT 'pg_catalog.pg_namespace'::regclass, n.oid, 0, n.nspowner, n.nspacl, 'n'
    FROM own JOIN pg_catalog.pg_namespace AS n ON n.oid = own.oid WHERE n.nspacl IS NOT NULL
    UNION ALL
    SELECT 'pg_catalog.pg_proc'::regclass, p.oid, 0, p.proowner, p.proacl, 'f'
    FROM pg_catalog.pg_proc AS p JOIN own ON own.oid = p.pronamespace
    WHERE p.oid >= 16384 AND p.proacl IS NOT NULL
    UNION ALL
    SELECT 'pg_catalog.pg_type'::regclass, t.oid, 0, t.typowner, t.typacl, 'T'
    FROM pg_catalog.pg_type AS t JOIN own ON own.oid = t.typnamespace
    WHERE t.oid >= 16384 AND t.typacl IS NOT NULL
    UNION ALL
    SELECT 'pg_catalog.pg_language'::regclass, l.oid, 0, l.lanowner, l.lanacl, 'l'
    FROM pg_catalog.pg_language AS l WHERE l.lanacl IS NOT NULL
    UNION ALL
    SELECT 'pg_catalog.pg_foreign_data_wrapper'::regclass, w.oid, 0, w.fdwowner, w.fdwacl, 'F'
    FROM pg_catalog.pg_foreign_data_wrapper AS w WHERE w.fdwacl IS NOT NULL
    UNION ALL
    SELECT 'pg_catalog.pg_foreign_server'::regclass, s.oid, 0, s.srvowner, s.srvacl, 'S'
    FROM pg_catalog.pg_foreign_server AS s WHERE s.srvacl IS NOT NULL
) AS a
CROSS JOIN LATERAL pg_catalog.pg_identify_object(a.classid, a.objid, a.objsubid) AS i
CROSS JOIN LATERAL (
    SELECT
        d.way,
        CASE d.grantee WHEN 0 THEN 'public' WHEN a.owner THEN 'its owner'
            ELSE coalesce(quote_ident(pg_catalog.pg_get_userbyid(d.grantee)), '') END AS whom,
        string_agg(
            d.privilege_type || CASE WHEN d.is_grantable THEN ' with grant option' ELSE '' END, ', '
            ORDER BY d.privilege_type
        ) AS privileges
    FROM (
        (
            SELECT 'grant' AS way, grantee, privilege_type, is_grantable
            FROM pg_catalog.aclexplode(a.acl)
            EXCEPT
            SELECT 'grant', grantee, privilege_type, is_grantable
            FROM pg_catalog.aclexplode(pg_catalog.acldefault(a.type, a.owner))
        )
        UNION ALL
        (
            SELECT 'revoke', grantee, privilege_type, is_grantable
            FROM pg_catalog.aclexplode(pg_catalog.acldefault(a.type, a.owner))
            EXCEPT
            SELECT 'revoke', grantee, privilege_type, is_grantable
            FROM pg_catalog.aclexplode(a.acl)
        )
    ) AS d
    GROUP BY 1, 2
) AS x
WHERE (a.classid, a.objid) NOT IN (SELECT classid, objid FROM member)

-- part: default_privileges needs pg_default_acl
SELECT
    'default privileges',
    concat_ws(' ', 'of',
        CASE WHEN r.rolname = ANY (%(migrators)s) THEN 'the migrating role'
            ELSE quote_ident(r.rolname) END,
        'in schema ' || n.schema, 'on',
        CASE d.defaclobjtype
            WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
            WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' WHEN 'L' THEN 'large objects'
        END),
    coalesce((
        SELECT string_agg(x.whom || ': ' || x.privileges, '; ' ORDER BY x.whom)
        FROM (
            SELECT
                CASE e.grantee WHEN 0 THEN 'public' WHEN d.defaclrole THEN 'its owner'
                    ELSE quote_ident(pg_catalog.pg_get_userbyid(e.grantee)) END AS whom,
                string_agg(
                    e.privilege_type
                    || CASE WHEN e.is_grantable THEN ' with grant option' ELSE '' END, ', '
                    ORDER BY e.privilege_type
                ) AS privileges
            FROM pg_catalog.aclexplode(d.defaclacl) AS e
            GROUP BY 1
        ) AS x
    ), 'nothing'),
    true, '', 0
FROM pg_catalog.pg_default_acl AS d
JOIN pg_catalog.pg_roles AS r ON r.oid = d.defaclrole
LEFT JOIN own AS n ON n.oid = d.defaclnamespace
WHERE d.defaclnamespace = 0 OR n.oid IS NOT NULL

-- part: comments
-- An extension brings its own comment, and so does PostgreSQL for its own objects.
SELECT
    x.kind, i.type || ' ' || i.identity, x.text, true,
    CASE
        WHEN x.objsubid > 0 THEN (pg_catalog.pg_identify_object(x.classoid, x.objoid, 0)).identity
        ELSE coalesce(substring(i.identity FROM ' on (.*)$'), i.identity)
    END,
    0
FROM (
    SELECT 'comment' AS kind, classoid, objoid, objsubid, description AS text
    FROM pg_catalog.pg_description
    WHERE objoid >= 16384
    UNION ALL
    SELECT 'comment', classoid, objoid, objsubid, description
    FROM pg_catalog.pg_description
    WHERE objoid < 16384 AND objoid IN (SELECT oid FROM own)
    UNION ALL
    SELECT 'security label by ' || provider, classoid, objoid, objsubid, label
    FROM pg_catalog.pg_seclabel
) AS x
CROSS JOIN LATERAL pg_catalog.pg_identify_object(x.classoid, x.objoid, x.objsubid) AS i
WHERE x.classoid <> 'pg_catalog.pg_extension'::regclass
    AND (x.classoid, x.objoid) NOT IN (SELECT classid, objid FROM member)
    AND coalesce(i.schema, '') !~ '^pg_'
    AND (
        x.classoid <> 'pg_catalog.pg_class'::regclass
        OR x.objoid IN (
            SELECT oid FROM relation WHERE relkind NOT IN ('i', 'I')
            UNION ALL
            SELECT n.indexrelid FROM relation AS c JOIN pg_catalog.pg_index AS n ON n.indrelid = c.oid
        )
    )
