CREATE EXTENSION hstore;
CREATE EXTENSION citext;
CREATE EXTENSION ltree;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'very happy');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN small_text AS varchar(5);
CREATE DOMAIN positive AS numeric(8,2) CHECK (VALUE > 0);
CREATE DOMAIN nested AS positive;
CREATE TABLE scalar (
    id oid PRIMARY KEY, feeling mood, address inet, network cidr, mac macaddr, mac_8 macaddr8,
    zoned_clock timetz, zoned_clock_3 timetz(3), span interval, cost money,
    bit_1 bit(1), bit_9 bit(9), bits varbit, bits_5 varbit(5),
    markup xml, identifier name, insensitive citext, short small_text, amount positive,
    deep nested, pairs hstore, words tsvector, path ltree
);
INSERT INTO scalar VALUES
    (1, 'ok', '192.168.0.1', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05',
     '12:34:56.789012+02', '12:34:56.789+02', '1 year 2 months 3 days 04:05:06.78', 1234.56,
     B'1', B'100000011', B'101', B'11', '<a>b</a>', 'ident', 'CiText', 'short', 12.34, 5.6,
     'a=>1, "b c"=>NULL', 'fat cat', 'Top.Science'),
    (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
     NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (4294967295, 'very happy', 'fe80::1/64', '2001:db8::/32', 'ffffffffffff', 'ffffffffffffffff',
     '24:00:00-08', '00:00+00', '-1 mon +2 days -00:00:00.5', -0.01, B'0', B'000000000', B'',
     B'00000', '', '', '', '', 0.01, 1, '', '', '');
CREATE TABLE span (
    id int PRIMARY KEY, ints int4range, bigs int8range, nums numrange, locals tsrange,
    zoneds tstzrange, days daterange
);
INSERT INTO span VALUES
    (1, '[1,5]', '(1,5)', '[1.5,2.5)', '[2024-01-01 00:00,infinity)',
     '[2024-01-01 00:00+02,)', '[2024-01-01,2024-02-01)'),
    (2, 'empty', '(,)', '(,)', '(,)', '(,)', '(,)');
CREATE TABLE shape (
    id int PRIMARY KEY, spot point, frame box, segment lseg, route path, area polygon,
    ring circle, straight line
);
INSERT INTO shape VALUES (1, '(1,2.5)', '(1,1),(0,0)', '[(0,0),(1,1)]', '[(0,0),(1,1),(2,0)]',
    '((0,0),(1,1),(2,0))', '<(1,2),3>', '{1,2,3}');
CREATE TABLE list (
    id int PRIMARY KEY, ints int[], smalls smallint[], bigs bigint[], reals real[],
    doubles double precision[], nums numeric(6,2)[], frees numeric[], flags bool[], texts text[],
    bounded varchar(5)[], padded char(4)[], ids uuid[], days date[], clocks time[],
    locals timestamp[], zoneds timestamptz[], documents json[], binary_documents jsonb[],
    raws bytea[], addresses inet[], moods mood[], matrix int[][], ranges int4range[]
);
INSERT INTO list VALUES
    (1, '{1,NULL,3}', '{1}', '{1}', '{1.5}', '{1.5,NaN}', '{1.2,NULL}', '{1.20,1000}',
     '{t,f,NULL}', '{a,NULL,"NULL","q\"uo,te",""}', '{abc}', '{ab}',
     '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', '{2024-02-29}', '{12:34:56}',
     '{2024-02-29 12:34:56}', '{2024-02-29 12:34:56+02}', '{"{\"a\": 1}"}', '{"{\"a\": 1}"}',
     '{"\\x00ff"}', '{192.168.0.1}', '{ok,NULL}', '{{1,2},{3,4}}', '{"[1,5)"}'),
    (2, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
     '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
     NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE unknown (
    id int PRIMARY KEY, pair pair, question tsquery, position pg_lsn, relation regclass,
    moneys money[], names name[], spans interval[], markups xml[], points point[],
    multi int4multirange, identifier xid8, expression jsonpath, name text
);
INSERT INTO unknown VALUES (1, '(1,x)', 'fat & cat', '0/16B3748', 'scalar', '{1.5}', '{a}',
    '{1 day}', '{<a/>}', '{"(1,2)"}', '{[1,3),[5,7)}', '7', '$.a', 'kept');

CREATE ROLE replicator WITH REPLICATION LOGIN PASSWORD 'replicator_password';
GRANT SELECT ON ALL TABLES IN SCHEMA public TO replicator;
CREATE PUBLICATION cdc_publication FOR ALL TABLES;
