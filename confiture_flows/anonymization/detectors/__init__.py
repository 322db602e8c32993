"""The kinds of values that are told by themselves, one a file; each has a DETECTORS tuple."""
