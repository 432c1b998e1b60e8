UPDATE users SET name = 'while it was stopped' WHERE id = 1;
BEGIN;
INSERT INTO orders (user_id, total) VALUES (1, 1.00);
INSERT INTO orders (user_id, total) VALUES (2, 2.00);
COMMIT;
DELETE FROM orders WHERE id = 1;
