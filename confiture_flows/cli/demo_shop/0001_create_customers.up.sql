CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    email text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO customers (name, email) VALUES
    ('Ada', 'ada@shop.example'),
    ('Grace', 'grace@shop.example'),
    ('Ada L.', 'ada@shop.example');
