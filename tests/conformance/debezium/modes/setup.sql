CREATE TABLE mode (
    id numeric(6,1) PRIMARY KEY,
    price numeric(10,2), whole numeric(5,0), free numeric, cost money,
    day date, clock time, clock_3 time(3), clock_0 time(0),
    local timestamp, local_3 timestamp(3), local_0 timestamp(0),
    zoned timestamptz, zoned_3 timestamptz(3), raw bytea
);
INSERT INTO mode VALUES
    (1, 123.40, 12, 12.3400, 12.5, '2024-02-29', '12:34:56.789012', '12:34:56.789', '12:34:56',
     '2024-02-29 12:34:56.789012', '2024-02-29 12:34:56.789', '2024-02-29 12:34:56',
     '2024-02-29 12:34:56.789012+02', '2024-02-29 12:34:56.7+02', '\xfbff00fe3e3f'),
    (2, -0.05, -1, 123456789012345678901234567890.000000000000001, -1234567.89,
     '1969-07-20', '20:17:40.000001', '20:17:40.001', '24:00',
     '1969-07-20 20:17:40.000001', '1969-07-20 20:17:40.001', '1969-07-20 20:17:40',
     '1969-07-20 20:17:40.000001+00', '1969-07-20 20:17:40.001+00', '\x00'),
    (3, 'NaN', 'NaN', 'NaN', -0.01, 'infinity', '24:00:00', '24:00', '00:00', 'infinity',
     'infinity', '-infinity', 'infinity', '-infinity', ''),
    (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

CREATE ROLE replicator WITH REPLICATION LOGIN PASSWORD 'replicator_password';
GRANT SELECT ON ALL TABLES IN SCHEMA public TO replicator;
CREATE PUBLICATION cdc_publication FOR ALL TABLES;
