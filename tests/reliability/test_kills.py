"""Runs killed with SIGKILL at random moments: catalog, ledger and journal agree, always.

The plan mixes migrations of one transaction with scripts that build and drop indexes
concurrently. After each kill every mark in the database is compared with what ledger and
journal say; the next run has to go on by itself.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from confiture_flows.migrations.ledger import read_ledger
from confiture_flows.migrations.resolve import read_unfinished
from confiture_flows.target import Target, connect
from tests.support import eventually

KILLS = 50

NONE = "-- confiture: transaction=none\n"
# Each statement leaves a mark that can be counted, or an index that can be looked at.
PLAN = {
    "0001_rows.up.sql": "CREATE TABLE big AS SELECT g AS id, g % 97 AS tail"
    " FROM generate_series(1, 60000) g;\nINSERT INTO marks VALUES ('0001/2');",
    "0002_plain.up.sql": "CREATE TABLE plain (id int);\nINSERT INTO marks VALUES ('0002/2');",
    "0003_index.up.sql": "CREATE INDEX CONCURRENTLY big_id ON big (id);",
    "0004_mixed.up.sql": "INSERT INTO marks VALUES ('0004/1');\n"
    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS big_unique ON big (id);\n"
    "INSERT INTO marks VALUES ('0004/3');\nVACUUM big;\nINSERT INTO marks VALUES ('0004/5');",
    "0005_alone.up.sql": NONE + "INSERT INTO marks VALUES ('0005/1');\n"
    "INSERT INTO marks VALUES ('0005/2');\nCREATE INDEX CONCURRENTLY ON big (tail);\n"
    "INSERT INTO marks VALUES ('0005/4');",
    "0006_drop.up.sql": "DROP INDEX CONCURRENTLY big_id;\nINSERT INTO marks VALUES ('0006/2');",
    "0007_rebuild.up.sql": "REINDEX INDEX CONCURRENTLY big_unique;\n"
    "INSERT INTO marks VALUES ('0007/2');",
    "0008_plain.up.sql": "INSERT INTO marks VALUES ('0008/1');",
}
# After this statement of this migration the index stands, or is gone.
INDEXES = {("0003", 1): "big_id", ("0004", 2): "big_unique", ("0005", 3): "big_tail_idx"}
DROPPED = ("0006", 1)


# Imports everything once and forks for each run, so that kills meet the work and not the start.
PROGRAM = """
import json, multiprocessing, sys
from pathlib import Path
import postgast, psycopg
from confiture_flows.config import Limits
from confiture_flows.migrations import batchwise
from confiture_flows.migrations.apply import apply_plan
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.ledger import read_ledger
from confiture_flows.migrations.plan import plan_forward
from confiture_flows.target import Target, connect

limits = Limits(lock_timeout_ms=1000, lock_patience=20, busy_patience=20)

def run(dsn, directory):
    target = Target(name="test", dsn=dsn, limits=limits)
    with connect(target, "test") as conn:
        plan = plan_forward(discover(Path(directory)).migrations, read_ledger(conn, target.ledger))
        apply_plan(conn, plan, limits=limits, ledger=target.ledger)

print("ready", flush=True)
for line in sys.stdin:
    dsn, directory, seconds = json.loads(line)
    process = multiprocessing.get_context("fork").Process(target=run, args=(dsn, directory))
    process.start()
    process.join(seconds)
    process.kill()
    process.join()
    print(process.exitcode, flush=True)
"""


class Runs:
    """Runs of the plan, each in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def killed_after(self, target: Target, directory: Path, seconds: float) -> bool:
        """Start one; whether the kill came before its end."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([target.dsn, str(directory), seconds]) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        assert code in (0, -signal.SIGKILL)
        return code != 0


@pytest.fixture
def runs() -> Iterator[Runs]:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield Runs(process)


def _statements_done(target: Target, conn: psycopg.Connection) -> Callable[[str, int], bool | None]:
    """What ledger and journal say of a statement: done, not done, or None for in doubt."""
    applied = {row.version for row in read_ledger(conn, target.ledger)}
    unfinished = {each.version: each for each in read_unfinished(conn, target.ledger)}
    assert not applied & unfinished.keys()

    def done(version: str, number: int) -> bool | None:
        if version in applied:
            return True
        entries = unfinished[version].entries if version in unfinished else ()
        for entry in entries:
            if entry.statement <= number < entry.statement + entry.statements:
                return True if entry.done else None
        return False

    return done


def _check(target: Target) -> None:
    """Compare every mark and index with what ledger and journal say."""
    with connect(target, "test") as conn:
        done = _statements_done(target, conn)
        found = sorted(marks(conn))
        assert len(found) == len(set(found)), f"something ran twice: {found}"
        wanted = [
            f"{name[:4]}/{number}"
            for name, sql in PLAN.items()
            for number in range(1, 6)
            if f"'{name[:4]}/{number}'" in sql and done(name[:4], number)
        ]
        assert found == wanted
        valid = {
            row[0]: row[1]
            for row in conn.execute(
                "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c"
                " ON c.oid = i.indexrelid WHERE c.relname LIKE 'big\\_%' AND c.relname !~ '_cc'"
            )
        }
        for (version, number), index in INDEXES.items():
            said = done(version, number)
            if index == "big_id" and done(*DROPPED) is not False:
                said = False if done(*DROPPED) else None
            if said is not None:
                assert valid.get(index, False) is said, (index, said, valid)


def _alone(conn: psycopg.Connection) -> bool:
    row = conn.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name LIKE 'confiture-flows%'"
    ).fetchone()
    return row == (0,)


def test_database_ledger_and_journal_agree_after_every_kill(
    new_database: Callable[[], str], write: Callable[..., Path], runs: Runs
) -> None:
    directory = write(PLAN)
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    print(f"seed {seed}")  # shown when the test fails
    took = None
    kills = 0
    while kills < KILLS:
        dsn = new_database()
        target = Target(name="test", dsn=dsn)
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("CREATE TABLE marks (mark text)")
            if took is None:  # how long it takes undisturbed
                started = time.monotonic()
                assert not runs.killed_after(target, directory, 60)
                took = time.monotonic() - started
                _check(target)
                continue
            while runs.killed_after(target, directory, chance.uniform(0, took)):
                kills += 1
                eventually(lambda conn=conn: _alone(conn), bool)
                _check(target)
            _check(target)
            assert len(marks(conn)) == sum(sql.count("INTO marks") for sql in PLAN.values())


def marks(conn: psycopg.Connection) -> list[str]:
    return [row[0] for row in conn.execute("SELECT mark FROM marks")]
