"""What a plan would do, before it does it: executed where nothing can be harmed, and looked at.

`dry_run` in dry_run.py is the only entry; report.py holds the values that it returns.
"""
