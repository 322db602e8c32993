"""What an anonymized copy costs: `python -m tests.benchmarks.copies`.

A table of ten columns (id, uuid, email, name, phone, inet, date, address, jsonb, timestamptz) goes
from one database of a server to another, one way after another in every round. The yardstick is a
bare loop over COPY in binary, which makes no database, reads no schema and swaps no names. So each
of our ways is shown twice: the chunks alone, and the whole copy, which no older copy stands in the
way of. Processor time is that of our processes and the server's; others on the machine lengthen
seconds, but hardly this.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from confiture_flows.anonymization.copy import open_copy, run_chunks
from confiture_flows.anonymization.copying.observer import CopyObserver
from confiture_flows.anonymization.copying.values import CopyAccess, CopyOptions
from confiture_flows.anonymization.keys import Secret
from confiture_flows.anonymization.plan import CopyPlan
from confiture_flows.anonymization.proof.prove import prove_copy
from confiture_flows.anonymization.proof.report import LeakReport, ProofMode, ProofOptions
from confiture_flows.target import Target
from tests.benchmarks.copy_command import COMMANDS, run_command, write_project
from tests.benchmarks.copy_peers import (
    CONFITURE_COPY,
    PG_ANON,
    PG_ANON_BARE,
    dump_and_restore,
    dump_and_restore_bare,
    masked_all,
    prepare_pg_anon,
    sync_confiture,
)
from tests.benchmarks.custom_strategy import MODULE, NAME
from tests.benchmarks.measure import Series, interleave
from tests.benchmarks.processes import Memory, processor_seconds
from tests.benchmarks.servers import durable_server
from tests.copies import plan_of

ROWS, ROUNDS = 1_000_000, 5
BARE = "bare binary pipe"
PARTS = ("before", "indexes and keys", "sequences", "proof", "swap")
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
# Python that costs more than all the rest: a document, parsed and written again.
DOCUMENTS: Mapping[str, Any] = {
    "person__extra": ("jsonb", {"paths": {"$.note": "name"}}),
    "person__address": "free-text",
}


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


class Clock(CopyObserver):
    """When each part of a copy began."""

    def __init__(self) -> None:
        self.parts = {"before": time.perf_counter()}

    def began(self, chunks: object) -> None:
        """Rows are next."""
        self.parts["rows"] = time.perf_counter()

    def finishing(self, what: str) -> None:
        """That is next."""
        self.parts[what] = time.perf_counter()

    def seconds(self) -> dict[str, float]:
        """How long each took, the last until now."""
        ends = [*list(self.parts.values())[1:], time.perf_counter()]
        return {
            name: end - start for (name, start), end in zip(self.parts.items(), ends, strict=True)
        }


class Bench:
    """The databases, and the ways to fill one from the other."""

    def __init__(self, dsn: str, rows: int, table: str = TABLE, fill: str = FILL) -> None:
        self.admin, self.rows, self.table = dsn, rows, table
        self.source, self.place = (make_conninfo(dsn, dbname=n) for n in ("bench_a", "bench_b"))
        self.execute(dsn, "CREATE DATABASE bench_a")
        self.execute(self.source, table)
        with psycopg.connect(self.source, autocommit=True) as conn:
            conn.execute(fill.encode(), (rows,))
            conn.execute("VACUUM ANALYZE person")

    def execute(self, dsn: str, statement: str) -> None:
        """Run a statement."""
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute(statement.encode())

    def forget(self, database: str) -> None:
        """Drop a database, and write what is unwritten."""
        self.execute(self.admin, f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        self.execute(self.admin, "CHECKPOINT")

    def bare(self) -> dict[str, float]:
        """The yardstick, into a table without indexes as ours is."""
        self.forget("bench_b")
        self.execute(self.admin, "CREATE DATABASE bench_b")
        self.execute(self.place, self.table.replace(" PRIMARY KEY", ""))
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
            spent.append(processor_seconds()[0])
            try:
                return prove_copy(access, plan, rows, ProofOptions(proof))
            finally:
                spent.append(processor_seconds()[0])

        def run() -> dict[str, float]:
            self.forget("bench_b")
            source, place, clock = Target("a", self.source), Target("b", self.place), Clock()
            spent[:] = [processor_seconds()[0]]
            with (
                Memory() as memory,
                open_copy(source, place, plan, SECRET, options, clock) as copying,
            ):
                results = run_chunks(copying, options.workers)
                report = copying.finish(results, None if proof == "off" else prove)
            assert report.rows == self.rows
            parts = clock.seconds()
            found = {**parts, "whole": sum(parts.values()), "memory": float(memory.most)}
            if report.proof is not None:
                assert report.proof.verdict == "passed", report.proof.message()
                begun, proving, proven = spent
                took, used = report.proof.seconds, proven - proving
                copied = processor_seconds()[0] - begun - used
                found |= {"proof": took, "proof ratio": took / (found["whole"] - took)}
                found |= {"proof processor": used, "proof processor ratio": used / copied}
            return found

        return run

    def peer(
        self, run: Callable[[Path, str, str], dict[str, float]], folder: Path
    ) -> Callable[[], dict[str, float]]:
        """Another tool's copy, into an empty place of its own."""
        source, place = (make_conninfo(self.admin, dbname=n) for n in ("bench_c", "bench_d"))

        def measured() -> dict[str, float]:
            self.forget("bench_d")
            if run is not run_command:
                self.execute(self.admin, "CREATE DATABASE bench_d")
            if run is sync_confiture:
                self.execute(place, TABLE.replace("jsonb", "text"))
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
        "documents and free text": bench.ours(DOCUMENTS, one),
        "documents and free text, 2 workers": bench.ours(DOCUMENTS, two),
    }


def beside(bench: Bench, peers: Path, folder: Path) -> dict[str, Callable[[], dict[str, float]]]:
    """Other tools, and our command as they are run.

    Args:
        bench: Its source gets a copy that they can read.
        peers: The bin folder of their environment.
        folder: Empty; for projects of ours.
    """
    bench.prepare_peers(peers)
    runs: dict[str, Callable[[], dict[str, float]]] = {}
    for name, masks in COMMANDS.items():
        write_project(folder / masks, bench.admin, masks)
        runs[name] = bench.peer(run_command, folder / masks)
    runs[CONFITURE_COPY] = bench.peer(sync_confiture, peers)
    runs[PG_ANON] = bench.peer(dump_and_restore, peers)
    runs[PG_ANON_BARE] = bench.peer(dump_and_restore_bare, peers)
    return runs


def with_processor(run: Callable[[], Mapping[str, float]]) -> Callable[[], Mapping[str, float]]:
    """The same with the processor time that it took."""

    def measured() -> Mapping[str, float]:
        before = processor_seconds()
        found = run()
        everybody, servers = (
            now - then for now, then in zip(processor_seconds(), before, strict=True)
        )
        return {**found, "processor": everybody, "servers": servers}

    return measured


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", action="append", help="what names hold; may be repeated")
    parser.add_argument("--peers", type=Path, help="the bin folder of their environment")
    said = parser.parse_args()
    with durable_server() as dsn, tempfile.TemporaryDirectory() as scratch:
        bench = Bench(dsn, said.rows)
        runs = ways(bench)
        if said.peers:
            runs |= beside(bench, said.peers, Path(scratch))
        measured = {
            name: with_processor(run)
            for name, run in runs.items()
            if name == BARE or any(each in name for each in said.only or ("",))
        }
        found = interleave(measured, said.rounds, lambda what: print(f"  {what}", flush=True))
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"load {load}, {said.rows:,} rows, {said.rounds} rounds; seconds: least, median, most")
    for name, figures in found.items():
        print(_line(name, figures, found[BARE]["rows"], said.rows))


def _line(name: str, figures: Mapping[str, Series], bare: Series, count: int) -> str:
    parts = [f"{name:<47}"]
    if rows := figures.get("rows"):
        parts.append(
            f"rows {_of(rows)}, {count / rows.median:9,.0f}/s, {bare.median / rows.median:4.2f} of "
            f"bare (least {bare.least / rows.least:4.2f})"
        )
    if whole := figures.get("whole"):
        parts.append(f"whole {_of(whole)}")
    used, servers = figures["processor"].median, figures["servers"].median
    parts.append(f"processor {used:.2f} s, {servers:.2f} of it the server")
    if ratio := figures.get("proof ratio"):
        parts.append(
            f"the proof took {_of(figures['proof'])}, {ratio.median:.2f} of the copy's time "
            f"({ratio.least:.2f} to {ratio.most:.2f}); of the processors' "
            f"{_of(figures['proof processor'])}, {figures['proof processor ratio'].median:.2f} of "
            "the copy's"
        )
    others = [each for each in PARTS if each in figures]
    if others:
        parts.append(", ".join(f"{each} {figures[each].median:.2f}" for each in others))
    if memory := figures.get("memory"):
        parts.append(f"at most {memory.most / (1 << 20):.0f} MB")
    return "\n    ".join(parts)


def _of(series: Series) -> str:
    return f"{series.least:6.2f} {series.median:6.2f} {series.most:6.2f} s"


if __name__ == "__main__":
    main()
