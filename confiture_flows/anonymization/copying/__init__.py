"""What the anonymized copy is made of; `anonymization.copy` puts it together.

source.py holds the snapshot and reads what the server knows of the tables. way.py chooses how each
table travels, chunks.py cuts it. transfer.py copies one chunk, by pipe.py as bytes or by masking.py
in batches; it runs in the process of worker.py, which workers.py starts and watches. place.py is
where the rows go: a new database (new_database.py), one in place, or a directory (directory.py).
schema.py makes tables before the rows and indexes after them. values.py, observer.py and report.py
are what callers see.
"""
