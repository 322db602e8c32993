/* About
   users */
CREATE TABLE users (id int);
-- +goose Up
SELECT 1;
