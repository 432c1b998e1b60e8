CREATE TABLE many (id int PRIMARY KEY, name text);
CREATE TABLE empty (id int PRIMARY KEY, name text);
CREATE TABLE one (id int PRIMARY KEY, name text);
CREATE TABLE two (id int PRIMARY KEY, name text);
CREATE TABLE void (id int PRIMARY KEY, name text);
INSERT INTO many SELECT n, 'row ' || n FROM generate_series(1, 4) AS n;
INSERT INTO one VALUES (1, 'alone');
INSERT INTO two VALUES (2, 'second'), (1, 'first');

CREATE ROLE replicator WITH REPLICATION LOGIN PASSWORD 'replicator_password';
GRANT SELECT ON ALL TABLES IN SCHEMA public TO replicator;
CREATE PUBLICATION cdc_publication FOR ALL TABLES;
