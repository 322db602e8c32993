"""PostgreSQL migrations as Prefect flows."""
