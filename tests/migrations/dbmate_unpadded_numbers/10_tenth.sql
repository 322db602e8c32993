-- migrate:up
SELECT 10;
-- migrate:down
