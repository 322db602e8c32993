"""A loaded copy -> whether it is clean, before it takes the target's name.

`prove_copy` of prove.py compares it with the source as of the copy's snapshot; `LeakReport` of
report.py says what was found, in counts and names. No value of either side is in a report, an error
or a log.

selection.py says what of a table is compared, hashing.py how both servers hash it. tables.py looks
at one table, search.py for values of one column in all others (scan.py and tokens.py take texts
apart), constraints.py at keys and at who could be singled out; chance.py says what may be the same
all the same. They give jobs (jobs.py) to a workshop (workshop.py), whose processes are worker.py;
streams.py reads hashes, spool.py keeps them, comparison.py compares them.
"""
