SELECT count(*) = 500 AND bool_and(total_cents > 0) FROM orders;
