UPDATE "Mixed Case" SET "Id" = 2;
UPDATE "naïve-tab$le.x" SET "größe" = 'ö';
DELETE FROM "select";
UPDATE part SET region = 'us' WHERE id = 1;
INSERT INTO part VALUES (3, 'eu');
UPDATE parent SET name = 'both';
INSERT INTO computed (id, a) VALUES (2, 5);
UPDATE computed SET a = 22 WHERE id = 1;
INSERT INTO identity_key (name) VALUES ('y');
