CREATE TABLE keyed (id int PRIMARY KEY, name text, amount int NOT NULL DEFAULT 5);
CREATE TABLE composite (
    name text, region varchar(8) NOT NULL, id bigint NOT NULL, PRIMARY KEY (id, region)
);
CREATE TABLE whole (id int PRIMARY KEY, name text, note text, amount int NOT NULL DEFAULT 5);
ALTER TABLE whole REPLICA IDENTITY FULL;
CREATE TABLE keyless (name text, amount int);
CREATE TABLE keyless_whole (name text, amount int);
ALTER TABLE keyless_whole REPLICA IDENTITY FULL;
-- No primary key: a unique index can stand in for it.
CREATE TABLE unique_index (code text NOT NULL, other int NOT NULL, name text);
CREATE UNIQUE INDEX unique_index_code ON unique_index (code);
ALTER TABLE unique_index REPLICA IDENTITY FULL;
CREATE TABLE unique_nullable (code text, name text);
CREATE UNIQUE INDEX unique_nullable_code ON unique_nullable (code);
ALTER TABLE unique_nullable REPLICA IDENTITY FULL;
CREATE TABLE unique_two (b int NOT NULL, a int NOT NULL, name text);
CREATE UNIQUE INDEX unique_two_z ON unique_two (b);
CREATE UNIQUE INDEX unique_two_a ON unique_two (name, a);
ALTER TABLE unique_two REPLICA IDENTITY FULL;
CREATE TABLE unique_partial (code text NOT NULL, name text);
CREATE UNIQUE INDEX unique_partial_code ON unique_partial (code) WHERE name IS NOT NULL;
ALTER TABLE unique_partial REPLICA IDENTITY FULL;
CREATE TABLE unique_expression (code text NOT NULL, name text);
CREATE UNIQUE INDEX unique_expression_code ON unique_expression (lower(code));
ALTER TABLE unique_expression REPLICA IDENTITY FULL;
CREATE TABLE indexed (id int PRIMARY KEY, code text NOT NULL UNIQUE, name text);
ALTER TABLE indexed REPLICA IDENTITY USING INDEX indexed_code_key;
CREATE TABLE indexed_keyless (code text NOT NULL UNIQUE, name text);
ALTER TABLE indexed_keyless REPLICA IDENTITY USING INDEX indexed_keyless_code_key;
CREATE TABLE unidentified (id int PRIMARY KEY, name text);
ALTER TABLE unidentified REPLICA IDENTITY NOTHING;

INSERT INTO keyed VALUES (1, 'one', 1), (2, NULL, 2), (3, 'three', 3);
INSERT INTO composite VALUES ('a', 'eu', 1), ('b', 'us', 1);
INSERT INTO whole VALUES (1, 'one', 'x', 1), (2, 'two', NULL, 2);
INSERT INTO keyless VALUES ('a', 1);
INSERT INTO keyless_whole VALUES ('a', 1), ('b', NULL);
INSERT INTO unique_index VALUES ('a', 1, 'one');
INSERT INTO unique_nullable VALUES ('a', 'one'), (NULL, 'none');
INSERT INTO unique_two VALUES (1, 2, 'x');
INSERT INTO unique_partial VALUES ('a', 'one');
INSERT INTO unique_expression VALUES ('a', 'one');
INSERT INTO indexed VALUES (1, 'a', 'one'), (2, 'b', 'two');
INSERT INTO indexed_keyless VALUES ('a', 'one'), ('b', 'two');
INSERT INTO unidentified VALUES (1, 'one');

CREATE ROLE replicator WITH REPLICATION LOGIN PASSWORD 'replicator_password';
GRANT SELECT ON ALL TABLES IN SCHEMA public TO replicator;
CREATE PUBLICATION cdc_publication FOR ALL TABLES;
