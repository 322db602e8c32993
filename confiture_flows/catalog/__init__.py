"""What a database contains, as a value: model.py is the value, snapshot.py reads it."""
