INSERT INTO users (email, name, created_at)
    VALUES ('eve@example.com', 'Eve', '2024-04-01 12:00:00+00');
UPDATE users SET name = 'Bob' WHERE id = 2;
UPDATE users SET active = false, name = NULL WHERE id = 1;
DELETE FROM orders WHERE id = 1;
DELETE FROM users WHERE id = 3;
INSERT INTO audit (note) VALUES ('not captured');
BEGIN;
INSERT INTO orders (user_id, product_id, quantity, total) VALUES (2, 2, 1, 120.00);
UPDATE products SET stock = stock - 1 WHERE id = 1;
INSERT INTO orders (user_id, total, status, placed_at)
    VALUES (4, NULL, 'draft', '2024-04-02 09:00:00');
COMMIT;
BEGIN;
INSERT INTO users (email) VALUES ('never@example.com');
ROLLBACK;
UPDATE users SET name = name WHERE id = 4;
