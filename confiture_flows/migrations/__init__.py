"""The engine: directory of migrations + ledger -> plan -> applied, rolled back, verified.

Knows no Prefect. The order of the stages stands in lifecycle.py, what a directory
looks like in layouts/, what the database remembers in ledger.py.
"""
