"""The interactive wizard: questions -> WizardState -> a plan that runs with or without a person.

`session.py` walks through the steps of `steps/`, one a file, forward and back; `state.py` is what
was answered, and its file. A step asks by a Prompter (`prompts.py`), of which `prompters/` has
three: a terminal, plain lines, a file of answers. `chosen.py` turns answers into what runs;
`migrating.py` and `copying.py` run it, shown by `monitor.py` and `watching.py`.

A new question is a key and a call in its step, and a line in docs/api/wizard.md. A new step is a
file in `steps/` and its place in `session.all_steps`.
"""
