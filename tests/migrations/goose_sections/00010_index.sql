-- +goose Up
SELECT 10;
-- +goose Down
SELECT -10;
