CREATE TABLE customers (
    id bigint PRIMARY KEY,
    email text NOT NULL,
    full_name text,
    born date,
    note text
);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint REFERENCES customers, total numeric);
CREATE TABLE order_items (order_id bigint REFERENCES orders, sku text, amount int);
CREATE TABLE page_views (at timestamptz, path text);
INSERT INTO customers
    SELECT g, 'ada' || g || '@mail.example.org', 'Ada Lovelace', date '1980-01-01' + g::int,
        'Call +1 202 555 0143 at noon'
    FROM generate_series(1, 300) AS g;
INSERT INTO orders SELECT g, 1 + g % 300, g FROM generate_series(1, 500) AS g;
ANALYZE;
