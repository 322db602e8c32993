-- +goose Up
-- +goose ENVSUB ON
SELECT '${REGION}';
-- +goose Down
SELECT 1;
