"""The steps of the wizard, one a file; independent of one another."""
