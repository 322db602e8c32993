"""SQL text -> statements and facts about them. The only room that knows the parser (postgast).

Two ways lead through it. To run a script: `source.py` reads, `placeholders.py` fills, `include.py`
follows, `statements.py` splits, and `script.py` makes transactions of it (`transactions.py` knows
what stands alone); `large.py`, `pieces.py` and `passage.py` do so for files that nobody holds as a
whole. To judge it: `operations.py` reads what each statement does as operations
(`table_operation.py`, `object_operation.py`, made of `parts.py`), and `work.py` says what
PostgreSQL locks and does for each.

A statement that nothing reads yet needs a reader in one of the `_read_*.py` modules, the operation
if it is a new one, and its judge in `work.py`.
"""
