"""Demands on the order and sameness of migrations: a module each, found by name; it has `RULE`.

What is wrong is found by migrations/validate, as for `status` and `migrate`; a rule here gives it a
code, a page, and a severity that a project can change. A new one is a file here and the finding
there.
"""
