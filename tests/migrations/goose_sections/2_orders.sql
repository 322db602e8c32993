-- Orders of users.

-- +goose Up
SELECT 2;
