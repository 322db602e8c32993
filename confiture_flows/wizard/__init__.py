"""The interactive wizard: questions -> WizardState -> a plan that runs with or without a person."""
