"""What an anonymized copy costs: `python -m tests.benchmarks.copies`.

A table of ten columns (id, uuid, email, name, phone, inet, date, address, jsonb, timestamptz) goes
from one database of a server to another, one way after another in every round. The yardstick is a
bare loop over COPY in binary, which makes no database, reads no schema and swaps no names. So each
of our ways is shown twice: the chunks alone, and the whole copy.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from confiture_flows.anonymization.copy import open_copy, run_chunks
from confiture_flows.anonymization.copying.values import CopyAccess, CopyOptions
from confiture_flows.anonymization.keys import Secret
from confiture_flows.anonymization.plan import CopyPlan
from confiture_flows.anonymization.proof.prove import prove_copy
from confiture_flows.anonymization.proof.report import LeakReport, ProofMode, ProofOptions
from confiture_flows.target import Target
from tests.benchmarks.copy_peers import (
    dump_and_restore,
    masked_all,
    prepare_pg_anon,
    sync_confiture,
)
from tests.benchmarks.custom_strategy import MODULE, NAME
from tests.benchmarks.measure import Series, interleave
from tests.benchmarks.servers import durable_server
from tests.copies import plan_of

ROWS, ROUNDS = 1_000_000, 5
BARE = "bare binary pipe"
SECRET = Secret(b"benchmarks are no secret")
TABLE = """
CREATE TABLE person (id bigint PRIMARY KEY, uid uuid NOT NULL, email text NOT NULL,
    name text NOT NULL, phone text, ip inet, born date, address text, extra jsonb,
    seen timestamptz)
"""
FILL = """
INSERT INTO person SELECT n, gen_random_uuid(), 'user' || n || '@mail' || n %% 97 || '.com',
    'First' || n %% 1000 || ' Last' || n %% 7919, '+49 30 ' || 1000000 + n,
    '10.0.0.0'::inet + n, '1950-01-01'::date + n %% 20000, n || ' Long Street, Town ' || n %% 500,
    jsonb_build_object('plan', n %% 5, 'tags', jsonb_build_array('a', 'b'), 'note', 'row ' || n),
    '2020-01-01'::timestamptz + n * interval '1 minute' FROM generate_series(1, %s) AS n
"""
CHEAP: Mapping[str, Any] = {
    "person__name": ("constant", {"value": "A Person"}),
    "person__phone": "null",
    "person__address": ("partial-mask", {}),
    "person__born": ("date-truncate", {}),
}
KEYED: Mapping[str, Any] = {
    "person__email": "email",
    "person__name": "name",
    "person__phone": "phone",
    "person__address": "address",
}
HASHED: Mapping[str, Any] = dict.fromkeys(KEYED, "hash")
CUSTOM: Mapping[str, Any] = {"person__name": NAME}


def bare_pipe(source: str, place: str) -> None:
    """The loop that anybody would write."""
    with (
        psycopg.connect(source) as reading,
        psycopg.connect(place) as writing,
        reading.cursor().copy("COPY person TO STDOUT (FORMAT binary)") as out,
        writing.cursor().copy("COPY person FROM STDIN (FORMAT binary)") as into,
    ):
        for data in out:
            into.write(data)


class Bench:
    """The databases, and the ways to fill one from the other."""

    def __init__(self, dsn: str, rows: int) -> None:
        self.admin, self.rows = dsn, rows
        self.source, self.place = (make_conninfo(dsn, dbname=n) for n in ("bench_a", "bench_b"))
        for name in ("bench_a", "bench_b"):
            self.execute(dsn, f"CREATE DATABASE {name}")
        self.execute(self.source, TABLE)
        with psycopg.connect(self.source, autocommit=True) as conn:
            conn.execute(FILL, (rows,))
            conn.execute("VACUUM ANALYZE person")

    def processor_seconds(self) -> float:
        """What this process, those it has started, and the server's have used so far."""
        ours = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        used = sum(each.ru_utime + each.ru_stime for each in ours)
        with psycopg.connect(self.admin) as conn:
            (folder,) = conn.execute("SHOW data_directory").fetchone() or ("",)
        server = int(Path(folder, "postmaster.pid").read_text().split("\n", 1)[0])
        for each in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = each.read_text().rpartition(")")[2].split()
                if server in (int(each.parent.name), int(fields[1])):
                    # Those of children that have ended are among their parent's.
                    ticks = sum(map(int, fields[11:15]))
                    used += ticks / os.sysconf("SC_CLK_TCK")
        return used

    def execute(self, dsn: str, statement: str) -> None:
        """Run a statement."""
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute(statement.encode())

    def bare(self) -> dict[str, float]:
        """The yardstick, into a table without indexes as ours is."""
        self.execute(self.place, "DROP TABLE IF EXISTS person")
        self.execute(self.place, TABLE.replace(" PRIMARY KEY", ""))
        self.execute(self.admin, "CHECKPOINT")
        started = time.perf_counter()
        bare_pipe(self.source, self.place)
        return {"rows": time.perf_counter() - started}

    def ours(
        self, rules: Mapping[str, Any], options: CopyOptions, proof: ProofMode = "off"
    ) -> Callable[[], dict[str, float]]:
        """A copy of ours."""
        plan = plan_of(self.source, **rules)
        keyed = tuple(replace(each, primary_key=("id",)) for each in plan.tables)
        plan = replace(plan, tables=keyed)
        spent: list[float] = []

        def prove(access: CopyAccess, plan: CopyPlan, rows: Mapping[str, int]) -> LeakReport:
            spent.append(self.processor_seconds())
            try:
                return prove_copy(access, plan, rows, ProofOptions(proof))
            finally:
                spent.append(self.processor_seconds())

        def run() -> dict[str, float]:
            self.execute(self.admin, "CHECKPOINT")
            source, place = Target("a", self.source), Target("b", self.place)
            spent[:] = [self.processor_seconds()]
            started = time.perf_counter()
            with open_copy(source, place, plan, SECRET, options) as copying:
                begun = time.perf_counter()
                results = run_chunks(copying, options.workers)
                rows = time.perf_counter() - begun
                report = copying.finish(results, None if proof == "off" else prove)
            assert report.rows == self.rows
            whole = time.perf_counter() - started
            if report.proof is None:
                return {"rows": rows, "whole": whole}
            assert report.proof.verdict == "passed", report.proof.message()
            begun, proving, proven = spent
            proved, all_of_it = proven - proving, self.processor_seconds() - begun
            took = report.proof.seconds
            return {
                "rows": rows,
                "whole": whole,
                "proof": took,
                "ratio": took / (whole - took),
                "processor": proved,
                "processor ratio": proved / (all_of_it - proved),
            }

        return run

    def peer(
        self, run: Callable[[Path, str, str], dict[str, float]], folder: Path
    ) -> Callable[[], dict[str, float]]:
        """Another tool's copy, into an empty place of its own."""
        source, place = (make_conninfo(self.admin, dbname=n) for n in ("bench_c", "bench_d"))

        def measured() -> dict[str, float]:
            self.execute(self.admin, "DROP DATABASE IF EXISTS bench_d WITH (FORCE)")
            self.execute(self.admin, "CREATE DATABASE bench_d")
            if run is sync_confiture:
                self.execute(place, TABLE.replace("jsonb", "text"))
            self.execute(self.admin, "CHECKPOINT")
            found = run(folder, source, place)
            assert masked_all(place, self.rows)
            return found

        return measured

    def prepare_peers(self, folder: Path) -> None:
        """A source without jsonb, and with the functions that one of them needs."""
        source = make_conninfo(self.admin, dbname="bench_c")
        self.execute(self.admin, "CREATE DATABASE bench_c TEMPLATE bench_a")
        self.execute(source, "ALTER TABLE person ALTER extra TYPE text")
        prepare_pg_anon(folder, source)
        self.execute(source, "VACUUM ANALYZE person")


def ways(bench: Bench) -> dict[str, Callable[[], Mapping[str, float]]]:
    """What is compared, by name."""
    one = CopyOptions(workers=1, replace=True, modules=(MODULE,))
    two = replace(one, workers=2, chunk_size=16 << 20)
    python = replace(one, engine="python")
    return {
        BARE: bench.bare,
        "no mask": bench.ours({}, one),
        "no mask, 2 workers": bench.ours({}, two),
        "four cheap masks": bench.ours(CHEAP, one),
        "four hashes in SQL": bench.ours(HASHED, replace(one, engine="sql")),
        "four hashes in Python": bench.ours(HASHED, python),
        "four hashes in Python, 2 workers": bench.ours(HASHED, replace(two, engine="python")),
        "four hashes in SQL, 2 workers": bench.ours(HASHED, replace(two, engine="sql")),
        "email, name, phone, address": bench.ours(KEYED, one),
        "email, name, phone, address, 2 workers": bench.ours(KEYED, two),
        "email, name, phone, address, proven": bench.ours(KEYED, one, "full"),
        "email, name, phone, address, 2 workers, proven": bench.ours(KEYED, two, "full"),
        "email, name, phone, address, proven quickly": bench.ours(KEYED, one, "quick"),
        "no mask, proven": bench.ours({}, one, "full"),
        "custom Python on one column": bench.ours(CUSTOM, one),
        "custom Python on one column, 2 workers": bench.ours(CUSTOM, two),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", default="")
    parser.add_argument("--peers", type=Path, help="the bin folder of their environment")
    said = parser.parse_args()
    with durable_server() as dsn:
        bench = Bench(dsn, said.rows)
        runs = {n: r for n, r in ways(bench).items() if n == BARE or said.only in n}
        if said.peers:
            bench.prepare_peers(said.peers)
            runs["fraiseql-confiture, masked"] = bench.peer(sync_confiture, said.peers)
            runs["pg_anon, dump and restore"] = bench.peer(dump_and_restore, said.peers)
        found = interleave(runs, said.rounds, lambda what: print(f"  {what}", flush=True))
    print(f"load {os.getloadavg()}, {said.rows:,} rows, {said.rounds} rounds")
    bare = found[BARE]["rows"]
    for name, figures in found.items():
        whole, proof = figures.get("whole"), figures.get("proof")
        rows = figures.get("rows") or figures["whole"]
        print(
            f"{name:<42}{_of(rows)}  {said.rows / rows.median:10,.0f}/s"
            f"  {bare.median / rows.median:5.2f} of bare (least {bare.least / rows.least:4.2f})"
            + (f"  whole {_of(whole)}" if whole else "")
            + (f"  of that the proof {_of(proof)}" if proof else "")
        )
        if ratio := figures.get("ratio"):
            print(
                f"{'':<42}the proof took {ratio.median:.2f} of the copy's time "
                f"({ratio.least:.2f} to {ratio.most:.2f}), and {_of(figures['processor'])} of the "
                f"processors', {figures['processor ratio'].median:.2f} of the copy's"
            )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"largest process: {peak / 1024:.0f} MB")


def _of(series: Series) -> str:
    return f"{series.least:6.2f} {series.median:6.2f} {series.most:6.2f} s"


if __name__ == "__main__":
    main()
