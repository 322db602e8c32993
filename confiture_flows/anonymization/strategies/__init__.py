"""The built-in strategies, one a file, which is called as its strategy (email.py, date_shift.py).

A module whose name starts with an underscore is shared by several.
"""
