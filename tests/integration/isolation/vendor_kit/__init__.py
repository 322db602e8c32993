"""A package as a vendor would hand it over: a table, a keyed class, a function."""
