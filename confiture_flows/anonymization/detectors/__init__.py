"""The kinds of values that are told by themselves, one a file; each has a DETECTORS tuple.

A new one needs its module, which is found by itself, and values that it takes and does not take in
tests/unit/anonymization/test_detectors.py. A category that is new needs a strategy in detect.py.
"""
