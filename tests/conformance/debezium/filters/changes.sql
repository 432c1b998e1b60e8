INSERT INTO users (email, name, created_at) VALUES ('eve@example.com', 'Eve', '2024-04-01');
UPDATE users SET name = 'Bob' WHERE id = 2;
UPDATE users SET email = 'robert@example.com' WHERE id = 2;
DELETE FROM orders WHERE id = 1;
UPDATE products SET price = 1.00 WHERE id = 1;
INSERT INTO nokey VALUES (2, 'y', false);
UPDATE other.users SET email = 'changed@example.com';
