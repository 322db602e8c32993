CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s "great"');
CREATE TYPE pair AS (number int, word text);
CREATE TYPE moody AS (number int, feels mood);
CREATE DOMAIN email AS text CHECK (VALUE ~ '@');
CREATE TYPE span AS RANGE (subtype = int4);
CREATE SCHEMA "odd ""schema""";
CREATE FUNCTION doubled(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
CREATE TABLE simple (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a smallint, b int, c numeric(20, 5), d real, e double precision,
    f money, g varchar(20), h char(5), i text, j bytea, k timestamp, l timestamptz, m date, n time, o timetz,
    p interval, q boolean, r point, s line, t lseg, u box, v path, w polygon, x circle, y cidr, z inet,
    aa macaddr, ab macaddr8, ac bit(3), ad varbit, ae uuid, af xml, ag json, ah jsonb, ai tsvector, aj tsquery,
    ak int4range, al tstzrange, am pg_lsn, an int[], ao text[][], ap jsonb[], aq "char", ar name, at oid, au email,
    av int4multirange, b2 int GENERATED ALWAYS AS (doubled(b)) STORED);
INSERT INTO simple (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, ab, ac, ad, ae, af,
    ag, ah, ai, aj, ak, al, am, an, ao, ap, aq, ar, at, au, av)
VALUES (1, 2, 3.14159, 'NaN', 'Infinity', 12.34, 'x', 'ab', E'tab\tline\nback\\slash\r \\N emoji 😀', '\x00ff0a5c', 'infinity',
    '-infinity', '4713-01-01 BC', '24:00', '12:00+05:30', '1 year -2 days 03:04:05.6', true, '(1,2)', '{1,2,3}', '[(0,0),(1,1)]',
    '(1,1),(0,0)', '[(0,0),(1,1)]', '((0,0),(1,1),(1,0))', '<(0,0),1>', '10.0.0.0/8', '::1', '08:00:2b:01:02:03',
    '08:00:2b:01:02:03:04:05', B'101', B'10101', '0f8fad5b-d9cb-469f-a165-70867728950e', '<a>b</a>', '{"a": "\u00e9\n"}',
    '{"b": [1, null, "\"x\\y"]}', 'a:1 fat:2A', 'fat & !rat', '[1,5)', '[2020-01-01, infinity)', '16/B374D848', '{1,NULL,3}',
    '{{a,"b,c"},{"d\"",NULL}}', '{"{\"a\": 1}"}', 'c', 'some_name', 7, 'a@b', '{[1,3),[5,7)}');
INSERT INTO simple (i, m, c) VALUES ('', '5874897-12-31', 'NaN'), (NULL, '0044-03-15 BC', -0.00001), ('\N', NULL, NULL);
INSERT INTO simple (i) SELECT repeat('longer and longer ', 20000);
CREATE TABLE "odd ""schema"""."odd.table" ("odd ""column""" int, "select" text);
INSERT INTO "odd ""schema"""."odd.table" VALUES (1, 'x');
CREATE TABLE names (a regclass, b regtype[], c regproc, d oid);
INSERT INTO names VALUES ('simple', '{int4,mood}', 'doubled', 1), ('"odd ""schema"""."odd.table"', NULL, 'now', 2);
CREATE FUNCTION knows(int) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT $1 IS NOT NULL OR EXISTS (SELECT FROM simple)';
CREATE TABLE checked (n int CHECK (knows(n)));
INSERT INTO checked VALUES (1);
CREATE TABLE own (id serial PRIMARY KEY, a mood, b mood[], c pair, d pair[], e moody, f span, g email[]);
INSERT INTO own (a, b, c, d, e, f, g) VALUES ('ok', '{sad,"it''s \"great\""}', '(1,"a,b")', ARRAY[(1, 'x')::pair, NULL],
    '(3,sad)', '[1,4)', '{a@b,c@d}'), (NULL, NULL, '(,)', '{}', NULL, 'empty', NULL);
CREATE TABLE parts (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
INSERT INTO parts SELECT n, '2020-06-01'::date + n FROM generate_series(1, 500) AS n;
CREATE TABLE parent (id int PRIMARY KEY, up int REFERENCES parent);
CREATE TABLE child () INHERITS (parent);
INSERT INTO parent VALUES (1, NULL), (2, 1), (3, 2);
INSERT INTO child VALUES (4, 2);
CREATE TABLE logs (what text);
CREATE FUNCTION log_it() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO public.logs VALUES ('fired'); RETURN NEW; END$$;
CREATE TRIGGER fire AFTER INSERT ON parent FOR EACH ROW EXECUTE FUNCTION log_it();
CREATE MATERIALIZED VIEW summary AS SELECT count(*) AS n FROM parts;
CREATE VIEW seen AS SELECT id FROM parent;
CREATE SEQUENCE alone START 100 INCREMENT 5;
SELECT nextval('alone'), nextval('alone');
CREATE SEQUENCE untouched;
