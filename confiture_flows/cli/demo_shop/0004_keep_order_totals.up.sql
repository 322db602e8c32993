-- The semicolons inside the function are no ends of statements; PostgreSQL's parser knows.
CREATE FUNCTION refresh_order_total() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE orders
    SET total_cents = (
        SELECT coalesce(sum(l.quantity * p.price_cents), 0)
        FROM order_lines AS l JOIN products AS p ON p.id = l.product_id
        WHERE l.order_id = NEW.order_id
    )
    WHERE id = NEW.order_id;
    RETURN NEW;
END;
$$;

CREATE TRIGGER order_lines_total
    AFTER INSERT OR UPDATE ON order_lines
    FOR EACH ROW EXECUTE FUNCTION refresh_order_total();

INSERT INTO orders (customer_id) SELECT 1 + n % 3 FROM generate_series(1, 500) AS n;
INSERT INTO order_lines (order_id, product_id, quantity)
SELECT n, 1 + n % 200, 1 + n % 4 FROM generate_series(1, 500) AS n;
