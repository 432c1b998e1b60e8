CREATE TABLE number (
    id serial PRIMARY KEY,
    small smallint, small_serial smallserial, medium int, big bigint, big_serial bigserial,
    single real, twice double precision,
    price numeric(10,2), whole numeric(5,0), tiny numeric(8,8), wide numeric(38,10),
    free numeric,
    flag boolean
);
INSERT INTO number (small, medium, big, single, twice, price, whole, tiny, wide, free, flag)
VALUES
    (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, false),
    (32767, 2147483647, 9223372036854775807, 3.4028235e38, 1.7976931348623157e308, 99999999.99,
     99999, 0.99999999, 9999999999999999999999999999.9999999999,
     123456789012345678901234567890.123456789, true),
    (-32768, -2147483648, -9223372036854775808, -1.17549435e-38, 2.2250738585072014e-308,
     -99999999.99, -99999, -0.00000001, -0.0000000001, -0.000000000000000000001, false),
    (1, 1, 1, 0.1, 0.1, 0.10, 1, 0.1, 1.5, 1.500, true),
    (-1, 127, 128, 1e-7, 1e21, 1.28, 128, 0, 255, 1000, true),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (2, 2, 2, 'NaN', 'NaN', 'NaN', 'NaN', 'NaN', 'NaN', 'NaN', true),
    (3, 3, 3, 'Infinity', 'Infinity', NULL, NULL, NULL, NULL, NULL, true),
    (4, 4, 4, '-Infinity', '-Infinity', 1e7, NULL, NULL, NULL, 1e30, true),
    (5, 5, 5, 16777216, 9007199254740993, 100, 10, NULL, 1e20, 0.00, true),
    (6, 6, 6, 1234567.9, 12345678.9, NULL, NULL, NULL, NULL, -1200.0300, true),
    (7, 7, 7, '-0', '-0', NULL, NULL, NULL, NULL, 100e-2, true),
    (8, 8, 8, 0.001, 0.0001, NULL, NULL, NULL, NULL, 1e-3, true),
    (9, 9, 9, 9999999, 10000000, NULL, NULL, NULL, NULL, 32768, true);

-- How a double is written depends on the JVM's Double.toString.
CREATE TABLE floating (id int PRIMARY KEY, single real, twice double precision);
INSERT INTO floating VALUES
    (1, 1e10, 1e23), (2, 2e-3, 2e23), (3, 1.17549e-38, 8.41e21), (4, 1e-45, 4.9e-324),
    (5, 3.4e38, 9.999999999999999e22), (6, 123456.7, 1234567.8901234567), (7, 0.3, 0.3),
    (8, 1e7, 1e7), (9, 9.999999e6, 9999999.999999998), (10, 1e-3, 1e-3), (11, 9.99e-4, 9.99e-4),
    (12, 33554432, 9007199254740991), (13, 2e-44, 2e-323), (14, 1.1e-5, 5e-324);

CREATE TABLE string (
    id uuid PRIMARY KEY,
    plain text, bounded varchar(10), unbounded varchar, padded char(5), one char, raw bytea,
    document json, binary_document jsonb, other uuid
);
INSERT INTO string VALUES
    ('00000000-0000-0000-0000-000000000001', '', '', '', '', '', '', '{}', '{}',
     'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'),
    ('00000000-0000-0000-0000-000000000002', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    ('00000000-0000-0000-0000-000000000003', E'tab\tnewline\ncr\rback\\slash "quoted" \x01\x7f',
     E'\\N', '\.', 'ab', 'x', '\x00ff10', '{"b": 1, "a":  [1, 2.50, null],  "b": 2}',
     '{"b": 1, "a":  [1, 2.50, null],  "b": 2}', '00000000-0000-0000-0000-000000000000'),
    ('00000000-0000-0000-0000-000000000004', 'zoë “Ünal” 🚀 日本', 'é日🚀', '</script> & ''', 'é日',
     '🚀', convert_to('text', 'UTF8'), '"zoë 🚀 \u00e9"', '"zoë 🚀 \u00e9"',
     'ffffffff-ffff-ffff-ffff-ffffffffffff'),
    ('00000000-0000-0000-0000-000000000005', E' \u2028\u2029\u00a0\ufeff ', ' pad ', ' ', ' a ',
     ' ', '\x', 'null', 'null', NULL),
    ('00000000-0000-0000-0000-000000000006', E'\b\f\v\x1b', '0', 'null', 'null', '0',
     '\x8182838485868788898a', '[1e400, 12345678901234567890, -0.0]',
     '[1e40, 12345678901234567890, -0.0]', NULL);

CREATE TABLE moment (
    id int PRIMARY KEY,
    day date,
    clock time, clock_0 time(0), clock_3 time(3), clock_6 time(6),
    local timestamp, local_0 timestamp(0), local_3 timestamp(3), local_6 timestamp(6),
    zoned timestamptz, zoned_0 timestamptz(0), zoned_3 timestamptz(3), zoned_6 timestamptz(6)
);
CREATE FUNCTION moments(first_id int) RETURNS void LANGUAGE sql AS $$
INSERT INTO moment
SELECT first_id + t.id, d::date, c::time, c::time, c::time, c::time,
       l::timestamp, l::timestamp, l::timestamp, l::timestamp,
       z::timestamptz, z::timestamptz, z::timestamptz, z::timestamptz
FROM (VALUES
    (1, '2024-02-29', '12:34:56.789012', '2024-02-29 12:34:56.789012',
     '2024-02-29 12:34:56.789012+02'),
    (2, '1970-01-01', '00:00:00', '1970-01-01 00:00:00', '1970-01-01 00:00:00+00'),
    (3, '1969-12-31', '23:59:59.999999', '1969-12-31 23:59:59.999999',
     '1969-12-31 23:59:59.999999+00'),
    (4, NULL, NULL, NULL, NULL),
    (5, '1900-01-01', '24:00:00', '1900-01-01 00:00:00.000001', '1900-01-01 00:00:00.1+05:30'),
    (6, '1582-10-15', '00:00:00.000001', '1582-10-15 00:00:00', '1582-10-15 00:00:00+00'),
    (7, '1582-10-04', '00:00:00.5', '1582-10-04 12:00:00', '1582-10-04 12:00:00+00'),
    (8, '0001-01-01', '01:00', '0001-01-01 00:00:00', '0001-01-01 00:00:00+00'),
    (9, '0044-03-15 BC', '01:00', '0044-03-15 12:00:00 BC', '0044-03-15 12:00:00+00 BC'),
    (10, '9999-12-31', '01:00', '9999-12-31 23:59:59.999999', '9999-12-31 23:59:59.999999+00'),
    (11, '10000-01-01', '01:00', '10000-01-01 00:00:00', '10000-01-01 00:00:00.5+00'),
    (12, '5874897-12-31', '01:00', '294276-12-31 23:59:59', '294276-12-31 23:59:59+00'),
    (13, '4713-01-01 BC', '01:00', '4713-01-01 00:00:00 BC', '4713-01-01 00:00:00+00 BC'),
    (14, 'infinity', '01:00', 'infinity', 'infinity'),
    (15, '-infinity', '01:00', '-infinity', '-infinity'),
    (16, '2024-03-31', '02:30:00.1235', '2024-03-31 02:30:00.1235', '2024-03-31 02:30:00.12+00'),
    (17, '2024-12-31', '23:59:59.9', '2024-12-31 23:59:59.9', '2024-12-31 23:59:59.9-08')
) AS t (id, d, c, l, z) ORDER BY t.id
$$;
SELECT moments(0);

CREATE ROLE replicator WITH REPLICATION LOGIN PASSWORD 'replicator_password';
GRANT SELECT ON ALL TABLES IN SCHEMA public TO replicator;
CREATE PUBLICATION cdc_publication FOR ALL TABLES;
