CREATE TABLE infinite (id int PRIMARY KEY, free numeric, other text);
INSERT INTO infinite VALUES (1, 'Infinity', 'a'), (2, '-Infinity', 'b'), (3, 'NaN', 'c'),
    (4, 1.0, 'd');
CREATE TABLE negative_scale (id int PRIMARY KEY, rounded numeric(3,-2));
INSERT INTO negative_scale VALUES (1, 1200);

CREATE ROLE replicator WITH REPLICATION LOGIN PASSWORD 'replicator_password';
GRANT SELECT ON ALL TABLES IN SCHEMA public TO replicator;
CREATE PUBLICATION cdc_publication FOR ALL TABLES;
