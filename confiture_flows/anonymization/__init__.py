"""Strategies and column rules, the anonymized copy of a database, and what finds personal columns.

A strategy: strategy.py is its contract, registry.py finds it by its name, validator.py checks its
options, factory.py makes it for a column, keys.py turns the secret into the key of a domain;
strategies/ holds the built-in ones, one a file. function_strategy.py and confiture_adapter.py make
strategies of what others wrote, sandbox/ runs those that nobody trusts. testing.py, bench.py and
describe.py try, measure and show one.

Rules: rules.py reads [anonymization]; assignment.py gives each column its rule, selection.py and
subset.py say which rows are copied, checks.py what would go wrong. planning.py makes a plan of all
that (plan.py), trial.py tries it on sample rows, prepare.py does both for a configuration;
outlook.py and preview.py show it.

The copy: copy.py carries a plan out, copying/ is what it is made of, proof/ looks at a loaded copy
before it takes its name.

Detection: detect.py judges names, detectors/ values (one kind a file), detection.py weighs both,
sampling.py reads the values, proposal.py makes rules of what was found.
"""
