"""`confiture-flows anonymize` as a process of its own, as the peers of copy_peers.py are run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from psycopg.conninfo import make_conninfo

# Our ways beside the peers: digests as theirs are, but with a key, and people who look alike.
COMMANDS = {
    "anonymize --plain, four hashes": "hash",
    "anonymize --plain, email, name, phone, address": "keyed",
}
_COLUMNS = ("email", "name", "phone", "address")
_PROGRAM = Path(sys.executable).with_name("confiture-flows")


def write_project(folder: Path, dsn: str, masks: str) -> None:
    """A project whose rules mask the four columns that the peers mask.

    Args:
        folder: Of the project; made.
        dsn: Of the server.
        masks: "hash", or "keyed" for the strategy of each column's own.
    """
    folder.mkdir()
    rules = "\n".join(
        f'"public.person.{each}" = "{"hash" if masks == "hash" else each}"' for each in _COLUMNS
    )
    (folder / "confiture.toml").write_text(
        f"""\
[targets.source]
dsn = "{make_conninfo(dsn, dbname="bench_c")}"
[targets.place]
dsn = "{make_conninfo(dsn, dbname="bench_d")}"
[anonymization]
secret = "${{BENCH_SECRET}}"
allow = ["*.*.*"]
[anonymization.columns]
{rules}
"""
    )


def run_command(folder: Path, source: str, place: str) -> dict[str, float]:
    """Plan, try the rules, copy and take the name; without the proof, which no peer has."""
    started = time.perf_counter()
    done = subprocess.run(
        [_PROGRAM, "anonymize", "--from=source", "--to=place", "--plain", "--proof=off"],
        cwd=folder,
        env={**os.environ, "BENCH_SECRET": "benchmarks are no secret"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"anonymize: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return {"whole": time.perf_counter() - started}
