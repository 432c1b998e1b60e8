CREATE TABLE toasted (
    id int PRIMARY KEY, touched int,
    plain text, required text NOT NULL, defaulted text DEFAULT 'short', bounded varchar(4000),
    raw bytea, document json, binary_document jsonb, free numeric
);
ALTER TABLE toasted ALTER plain SET STORAGE EXTERNAL, ALTER required SET STORAGE EXTERNAL,
    ALTER defaulted SET STORAGE EXTERNAL, ALTER bounded SET STORAGE EXTERNAL,
    ALTER raw SET STORAGE EXTERNAL, ALTER document SET STORAGE EXTERNAL,
    ALTER binary_document SET STORAGE EXTERNAL, ALTER free SET STORAGE EXTERNAL;
CREATE TABLE toasted_whole (LIKE toasted INCLUDING ALL);
ALTER TABLE toasted_whole REPLICA IDENTITY FULL;
CREATE TABLE toasted_array (
    id int PRIMARY KEY, touched int, texts text[], numbers int[], bigs bigint[], ids uuid[]
);
ALTER TABLE toasted_array ALTER texts SET STORAGE EXTERNAL, ALTER numbers SET STORAGE EXTERNAL,
    ALTER bigs SET STORAGE EXTERNAL, ALTER ids SET STORAGE EXTERNAL;

CREATE ROLE replicator WITH REPLICATION LOGIN PASSWORD 'replicator_password';
GRANT SELECT ON ALL TABLES IN SCHEMA public TO replicator;
CREATE PUBLICATION cdc_publication FOR ALL TABLES;
