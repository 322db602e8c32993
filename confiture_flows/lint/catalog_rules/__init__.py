"""The catalog rules, one file and one query a demand; a module has `RULE`.

Asked by `lint --live TARGET --catalog`. A query gives a row for each object that is wrong: what is
true, and what to do. A new one is a file here and a case in
tests/integration/test_catalog_rules.py.
"""
