CREATE TABLE evolving (id int PRIMARY KEY, name text, amount int NOT NULL DEFAULT 1);
INSERT INTO evolving VALUES (1, 'one', 1);

CREATE ROLE replicator WITH REPLICATION LOGIN PASSWORD 'replicator_password';
GRANT SELECT ON ALL TABLES IN SCHEMA public TO replicator;
CREATE PUBLICATION cdc_publication FOR ALL TABLES;
