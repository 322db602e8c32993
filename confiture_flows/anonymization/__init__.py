"""Strategies and column rules, and the anonymized copy of a database.

strategy.py is the contract of a strategy, registry.py finds it by its name, validator.py checks
its configuration, factory.py makes it for a column. keys.py turns the secret into the key of a
domain. rules.py is [anonymization] of the configuration. strategies/ holds the built-in ones, one
a file. copy.py is the anonymized copy, and copying/ what it is made of.
"""
