"""The built-in strategies, one a file, which is called as its strategy (email.py, date_shift.py).

A module whose name starts with an underscore is shared by several. A new one needs its module,
which is found by itself, a `Case` in tests/unit/anonymization/strategy_cases.py, and a line in
`SETTINGS` of tests/integration/anonymization/test_kit.py where it has options to be tried with.
"""
