CREATE TABLE users (id int PRIMARY KEY, name text);
INSERT INTO users VALUES (1, 'one');
CREATE TABLE unseen (id int PRIMARY KEY);

CREATE ROLE replicator WITH REPLICATION LOGIN PASSWORD 'replicator_password';
GRANT SELECT ON ALL TABLES IN SCHEMA public TO replicator;
CREATE PUBLICATION cdc_publication FOR TABLE users;
