-- confiture: include parts/a.sql
SELECT 2;
