"""Large files and many migrations: `python -m tests.benchmarks.scale [--megabytes N]`.

A report, never a test. Prints tables in Markdown: seconds, MB/s and peak memory of whole
processes, beside `psql -1 -f` where there is one; and how nothing pending grows with the number
of migrations on disk.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from confiture_flows.cli.prefect_server import temporary_server
from confiture_flows.migrations.ledger import create_ledger, locate_ledger
from confiture_flows.report.document import Document, Table
from confiture_flows.report.markdown import render_markdown
from tests.benchmarks.servers import durable_server, new_database

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROGRAM = Path(sys.executable).with_name("confiture-flows")
_TABLE = "CREATE TABLE people (id int PRIMARY KEY, name text NOT NULL, email text, note text);\n"
_KINDS = {
    "INSERT": ("", "INSERT INTO people VALUES ({n}, 'Ada', 'ada{n}@shop.example', NULL);\n", ""),
    "COPY": ("COPY people FROM stdin;\n", "{n}\tAda O'Neil\tada{n}@shop.example\t\\N\n", "\\.\n"),
}  # fmt: skip
# Waits for its child, whose peak is then the largest of its children's.
_MEASURE = (
    "import json, resource, subprocess, sys, time\n"
    "started = time.perf_counter()\n"
    "done = subprocess.run(sys.argv[1:], capture_output=True, text=True)\n"
    "seconds = time.perf_counter() - started\n"
    "peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss\n"
    "print(json.dumps([seconds, peak, done.returncode, done.stderr]))\n"
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took: seconds, and KiB at its peak."""

    seconds: float
    peak_kib: int


def measure(
    command: Sequence[str | Path], dsn: str, prefect: Mapping[str, str] | None = None
) -> Cost:
    """Run a program to its end.

    Args:
        command: The program and its arguments.
        dsn: What it works on.
        prefect: Variables of a running Prefect server.

    Raises:
        RuntimeError: It failed.
    """
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, *map(str, command)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **(prefect or {}), "CONFITURE_DSN": dsn},
    )
    seconds, peak, code, said = json.loads(done.stdout)
    if code:
        raise RuntimeError(said)
    return Cost(seconds, peak)


def write_large(folder: Path, kind: str, megabytes: float) -> Path:
    """A file of that size; gives its path."""
    before, row, after = _KINDS[kind]
    path = folder / "0001_load.up.sql"
    number = 0
    with path.open("w") as file:
        file.write(_TABLE + before)
        while file.tell() < megabytes * 1_000_000:
            file.writelines(row.format(n=number + each) for each in range(1000))
            number += 1000
        file.write(after)
    return path


def large_files(dsn: str, megabytes: float, prefect: Mapping[str, str] | None = None) -> Document:
    """Apply a file of each kind: by the package, as a flow where there is a server, and by psql."""
    rows: list[tuple[str, ...]] = []
    psql = shutil.which("psql")
    for kind in _KINDS:
        with tempfile.TemporaryDirectory(prefix="confiture-bench-") as name:
            path = write_large(Path(name), kind, megabytes)
            ours = [PROGRAM, "migrate", "--plain", "--dir", name]
            runs: dict[str, list[str | Path]] = {"migrate --plain": ours}
            if prefect:
                runs["migrate (flow)"] = [PROGRAM, "migrate", "--dir", name]
            for label, command in runs.items():
                with new_database(dsn) as database:
                    rows.append(_row(kind, label, path, measure(command, database, prefect)))
            if psql:
                with new_database(dsn) as database:
                    command = [psql, database, "-q1", "-v", "ON_ERROR_STOP=1", "-f", path]
                    rows.append(_row(kind, "psql -1 -f", path, measure(command, database)))
    columns = ("statements", "", "seconds", "MB/s", "peak, MB")
    return Document(f"A file of {megabytes:g} MB", (Table(columns, tuple(rows)),))


def _row(kind: str, label: str, path: Path, cost: Cost) -> tuple[str, ...]:
    speed = path.stat().st_size / 1_000_000 / cost.seconds
    return kind, label, f"{cost.seconds:.1f}", f"{speed:.1f}", f"{cost.peak_kib / 1024:.0f}"


def many_migrations(dsn: str, numbers: Sequence[int], rounds: int = 3) -> Document:
    """Nothing pending, with more and more migrations on disk and in the ledger."""
    rows: list[tuple[str, ...]] = []
    before: tuple[int, float] | None = None
    for number in numbers:
        with tempfile.TemporaryDirectory(prefix="confiture-bench-") as name:
            _write_pairs(Path(name), number)
            with new_database(dsn) as database:
                _mark_applied(database, Path(name))
                seconds = [
                    min(
                        measure([PROGRAM, *command, "--dir", name], database).seconds
                        for _ in range(rounds)
                    )
                    for command in (("migrate", "--plain"), ("status",))
                ]
        slope = ""
        if before:
            slope = f"{(seconds[0] - before[1]) / (number - before[0]) * 1_000_000:.0f}"
        rows.append((f"{number}", *(f"{each:.2f}" for each in seconds), slope))
        before = number, seconds[0]
    columns = ("migrations", "migrate --plain, s", "status, s", "more a migration, µs")
    return Document("Nothing pending", (Table(columns, tuple(rows)),))


def _write_pairs(folder: Path, number: int) -> None:
    for each in range(1, number + 1):
        (folder / f"{each:05}_t.up.sql").write_text(f"CREATE TABLE t{each} (a int);\n")
        (folder / f"{each:05}_t.down.sql").write_text(f"DROP TABLE t{each};\n")


def _mark_applied(dsn: str, folder: Path) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        create_ledger(conn, locate_ledger(conn, "tb_confiture"))
        rows = "COPY tb_confiture (slug, version, name, checksum) FROM stdin"
        with conn.cursor() as cursor, cursor.copy(rows) as copy:
            for path in sorted(folder.glob("*.up.sql")):
                version, _, name = path.name.removesuffix(".up.sql").partition("_")
                checksum = hashlib.sha256(path.read_bytes()).hexdigest()
                copy.write_row((path.name, version, name, checksum))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.scale", description=__doc__)
    parser.add_argument("--megabytes", type=float, default=100, help="size of the files [100]")
    parser.add_argument("--flow", action="store_true", help="as Prefect flows too")
    options = parser.parse_args()
    with durable_server() as dsn, ExitStack() as stack:
        print(render_markdown(many_migrations(dsn, (1000, 3000, 10000))), flush=True)
        prefect = None
        if options.flow:
            server = stack.enter_context(temporary_server())
            server.wait()
            prefect = server.environment()
        print(render_markdown(large_files(dsn, options.megabytes, prefect)), flush=True)


if __name__ == "__main__":
    main()
