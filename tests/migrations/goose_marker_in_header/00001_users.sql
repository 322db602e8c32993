-- confiture: transaction=as-written
-- +goose Up
SELECT 1;
COMMIT;
-- +goose Down
SELECT -1;
