"""The command line: main.py, and one file a command. Nothing heavy is imported at its top."""
