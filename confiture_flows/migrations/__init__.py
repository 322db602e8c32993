"""The engine: directory of migrations + ledger -> plan -> applied, rolled back, verified.

Knows no Prefect. The order of the stages stands in lifecycle.py, what a directory
looks like in layouts/, what the database remembers in ledger.py. A step goes from apply.py by
execution.py to transaction.py, or to batchwise.py with journal.py where it is not one transaction;
what went wrong there becomes an error in diagnosis.py.

A layout is a module of layouts/ with a `LAYOUT`, a tool to adopt from one of adoption/ with a
`TOOL`; nothing else names them.
"""
