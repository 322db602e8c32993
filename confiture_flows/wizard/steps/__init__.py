"""The steps of the wizard, one a file; independent of one another.

In their order: database, environment, tables, rules, review, execute, verify. A step is a
WizardStep (`../step.py`): its name is the section of an answers file, its keys are its questions.
"""
