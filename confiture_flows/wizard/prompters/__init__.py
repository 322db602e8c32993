"""Ways to ask: `terminal.py` (and `picker.py`, its long lists), `plain.py`, `answers.py`.

`choosing.py` takes the one that fits. Each is a Prompter of `../prompts.py`.
"""
