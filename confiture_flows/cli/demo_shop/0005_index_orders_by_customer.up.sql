-- Cannot run in a transaction, and need not say so: it is recognised.
CREATE INDEX CONCURRENTLY orders_customer_id_idx ON orders (customer_id);
