"""The yardstick: what a person would write in place of a tool. A transaction and a row a file.

It checks nothing: no lock, no checksum, no order but that of the names, no line in an error.
Run as `python bare_loop.py DIRECTORY`, the connection string in CONFITURE_DSN.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psycopg


def migrate(dsn: str, directory: Path) -> None:
    """Apply what is not applied yet."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(
            "CREATE TABLE IF NOT EXISTS bare_ledger ("
            "version text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        applied = {row[0] for row in conn.execute("SELECT version FROM bare_ledger")}
        for path in sorted(directory.glob("*.up.sql")):
            version = path.name.partition("_")[0]
            if version in applied:
                continue
            with conn.transaction():
                conn.execute(path.read_bytes())
                conn.execute("INSERT INTO bare_ledger (version) VALUES (%s)", [version])


if __name__ == "__main__":
    migrate(os.environ["CONFITURE_DSN"], Path(sys.argv[1]))
