UPDATE users SET name = 'before the stop' WHERE id = 1;
BEGIN;
INSERT INTO products (sku, name, price) SELECT 'S-' || n, 'p', n FROM generate_series(1, 3) AS n;
COMMIT;
