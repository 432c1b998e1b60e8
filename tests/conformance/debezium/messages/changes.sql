SELECT pg_logical_emit_message(false, 'foo', 'at once');
BEGIN;
INSERT INTO users VALUES (2, 'two');
SELECT pg_logical_emit_message(true, 'foo', 'in a transaction');
SELECT pg_logical_emit_message(true, 'bar', '\x00ff'::bytea);
COMMIT;
INSERT INTO users VALUES (3, 'three');
