"""Migrations -> findings: rules that know the history, and the live database when it is given."""
