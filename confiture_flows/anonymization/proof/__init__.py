"""A loaded copy -> whether it is clean, before it takes the target's name.

`prove_copy` compares it with the source as of the copy's snapshot; `LeakReport` says what was
found, in counts and names. No value of either side is in a report, an error or a log.
"""
