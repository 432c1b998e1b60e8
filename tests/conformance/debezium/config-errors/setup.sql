-- The guide names these three tables but does not define them.
CREATE TABLE users (
    id serial PRIMARY KEY,
    email varchar(255) NOT NULL,
    name text,
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE products (
    id serial PRIMARY KEY,
    sku varchar(32) NOT NULL UNIQUE,
    name text NOT NULL,
    price numeric(10,2) NOT NULL,
    stock integer NOT NULL DEFAULT 0
);
CREATE TABLE orders (
    id bigserial PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users,
    product_id integer REFERENCES products,
    quantity integer NOT NULL DEFAULT 1,
    total numeric(12,2),
    status varchar(16) NOT NULL DEFAULT 'new',
    placed_at timestamp NOT NULL DEFAULT '2024-01-01 00:00:00'
);
-- Not captured.
CREATE TABLE audit (id serial PRIMARY KEY, note text);

INSERT INTO users (email, name, created_at) VALUES
    ('ada@example.com', 'Ada Lovelace', '2024-03-01 10:00:00+00'),
    ('bob@example.com', NULL, '2024-03-01 11:30:00.5+02'),
    ('zoë@example.com', 'Zoë “Z” Ünal 🚀', '2024-03-02 00:00:00.123456+00');
INSERT INTO products (sku, name, price, stock) VALUES
    ('A-1', 'Lamp', 19.90, 5), ('B-2', 'Chair', 120.00, 0);
INSERT INTO orders (user_id, product_id, quantity, total, placed_at)
    VALUES (1, 1, 2, 39.80, '2024-03-03 08:15:30.25');

CREATE ROLE replicator WITH REPLICATION LOGIN PASSWORD 'replicator_password';
GRANT SELECT ON ALL TABLES IN SCHEMA public TO replicator;
CREATE PUBLICATION cdc_publication FOR TABLE users, orders, products;
DROP ROLE IF EXISTS plain;
CREATE ROLE plain WITH LOGIN PASSWORD 'plain_password';
CREATE PUBLICATION other_publication FOR TABLE users;
