"""What a database contains, as a value: model.py is the value, diff.py compares two.

snapshot.py reads all of it by queries.sql; tracking.py reads what statements have changed, by the
same queries; locked.py asks about tables that somebody may keep locked. A new kind of object is a
part of queries.sql, and in tracking.py a word on what changes it; tests/integration/test_catalog.py
makes one of each kind.
"""
