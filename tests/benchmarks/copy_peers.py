"""Other tools that mask on the way, as their own documentation calls them, in their own processes.

They are installed apart (`fraiseql-confiture` and `pg_anon` from the index, into one environment)
and named by its bin folder: `--peers FOLDER`. None of them is a dependency.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

CONFITURE_COPY = "fraiseql-confiture, masked"
PG_ANON, PG_ANON_BARE = "pg_anon, dump and restore", "pg_anon, dump and restore, bare sha256"
_SYNC = """
import sys
from confiture.config.environment import DatabaseConfig
from confiture.core.syncer import AnonymizationRule, ProductionSyncer
source, target = (DatabaseConfig.from_url(each) for each in sys.argv[1:3])
rules = [AnonymizationRule(c, s) for c, s in
    (("email", "email"), ("name", "name"), ("phone", "phone"), ("address", "hash"))]
with ProductionSyncer(source, target) as syncer:
    print(syncer.sync_table("person", rules))
"""
_DICTIONARY = """{"dictionary": [{"schema": "public", "table": "person", "fields": {%s}}]}"""
# What its documentation masks with; and what costs the server least, which nobody's manual says.
_OWN_DIGEST = """anon_funcs.digest("%s", 'salt', 'sha256')"""
_BARE_DIGEST = """encode(sha256(convert_to("%s" || 'salt', 'UTF8')), 'hex')"""
_FIELDS = ("email", "name", "phone", "address")


def sync_confiture(folder: Path, source: str, place: str) -> dict[str, float]:
    """fraiseql-confiture's masked copy of one table into an empty one.

    Its insert does not take jsonb, so the benchmark gives it that column as text.
    """
    started = time.perf_counter()
    subprocess.run(
        [folder / "python", "-c", _SYNC, _url(source), _url(place)],
        env={**os.environ, "ANONYMIZATION_SECRET": "benchmarks are no secret, but long enough"},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return {"whole": time.perf_counter() - started}


def dump_and_restore(folder: Path, source: str, place: str) -> dict[str, float]:
    """pg_anon's masked dump with its own digest, and its restore into an empty database."""
    return _dump_and_restore(folder, source, place, _OWN_DIGEST)


def dump_and_restore_bare(folder: Path, source: str, place: str) -> dict[str, float]:
    """The same with PostgreSQL's own function, called without one of pg_anon's around it."""
    return _dump_and_restore(folder, source, place, _BARE_DIGEST)


def _dump_and_restore(folder: Path, source: str, place: str, digest: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as scratch:
        dictionary = Path(scratch) / "fields.py"
        fields = ", ".join(f'"{each}": """{digest % each}"""' for each in _FIELDS)
        dictionary.write_text(_DICTIONARY % fields)
        started = time.perf_counter()
        dumping = ["dump", *_access(source), f"--prepared-sens-dict-file={dictionary}"]
        _run(folder, *dumping, f"--output-dir={scratch}/out")
        _run(folder, "restore", *_access(place), f"--input-dir={scratch}/out")
        return {"whole": time.perf_counter() - started}


def prepare_pg_anon(folder: Path, source: str) -> None:
    """Its functions have to be in the source, and those of pgcrypto that they call."""
    with psycopg.connect(source) as conn:
        conn.execute("CREATE EXTENSION pgcrypto")
    _run(folder, "init", *_access(source))


def masked_all(place: str, rows: int) -> bool:
    """Whether a peer has really done the work."""
    with psycopg.connect(place) as conn:
        query = "SELECT count(*) FILTER (WHERE email NOT LIKE 'user%@mail%'), count(*) FROM person"
        return conn.execute(query).fetchone() == (rows, rows)


def _run(folder: Path, command: str, *arguments: str) -> None:
    with tempfile.TemporaryDirectory() as runs:  # it writes a record of each run where it is
        done = subprocess.run(
            [folder.absolute() / "pg_anon", command, *arguments],
            cwd=runs,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"pg_anon {command}: {done.stdout[-2000:]}{done.stderr[-2000:]}")


def _access(dsn: str) -> list[str]:
    parts = conninfo_to_dict(dsn)
    said = {"host": "host", "port": "port", "name": "dbname", "user": "user"}
    given = [f"--db-{name}={parts[key]}" for name, key in said.items()]
    password = parts.get("password")
    return [*given, f"--db-user-password={password}"] if password else given


def _url(dsn: str) -> str:
    parts = conninfo_to_dict(dsn)
    password = f":{parts['password']}" if parts.get("password") else ""
    where = f"{parts['host']}:{parts['port']}"
    return f"postgresql://{parts['user']}{password}@{where}/{parts['dbname']}"
