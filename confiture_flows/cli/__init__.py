"""The command line: main.py, and one file a command. Nothing heavy is imported at its top.

A command parses its options and gives a function of its Work to `_frame.framed`, which prints the
outcome for people or as JSON, and knows the exit code. `_run.py` and `_plan_file.py` are what
migrate, rollback and anonymize share. A new command is a file here, a line in `main.py`, and its
section in docs/cli.md.
"""
