CREATE TABLE users (id int);

\set owner app
ALTER TABLE users OWNER TO :owner;
