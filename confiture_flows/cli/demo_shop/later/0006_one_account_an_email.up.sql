-- A new column, a backfill, and a rule that the data breaks: two customers share an address.
ALTER TABLE customers ADD COLUMN email_lower text;
UPDATE customers SET email_lower = lower(email);
ALTER TABLE customers ADD CONSTRAINT customers_email_key UNIQUE (email_lower);
