CREATE TABLE products (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku text NOT NULL UNIQUE,
    title text NOT NULL,
    price_cents integer NOT NULL CHECK (price_cents >= 0)
);

INSERT INTO products (sku, title, price_cents)
SELECT 'SKU-' || lpad(n::text, 4, '0'), 'Product ' || n, 100 * n
FROM generate_series(1, 200) AS n;
