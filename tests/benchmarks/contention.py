"""How long readers stall behind an ALTER TABLE that waits: `python -m tests.benchmarks.contention`.

A report, never a test. A transaction that has read the table stays open for some seconds; the
table is altered meanwhile, by a migration and by psycopg without a lock_timeout; a third session
reads all the time. Prints the longest read, and when the change was there.
"""

from __future__ import annotations

import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from confiture_flows.report.document import Document, Table
from confiture_flows.report.markdown import render_markdown
from tests.benchmarks.inside import run_engine
from tests.benchmarks.servers import durable_server, new_database

if TYPE_CHECKING:
    from collections.abc import Callable

ALTER = "ALTER TABLE accounts ADD COLUMN note text;"


@dataclass(frozen=True, slots=True)
class Stall:
    """What one round has shown; seconds.

    Attributes:
        longest: The longest that one read took.
        reads: How many reads there were before the change was there.
        done: From the start of the change to its end.
    """

    longest: float
    reads: int
    done: float


def measure(alter: Callable[[str], None], dsn: str, hold: float) -> Stall:
    """Alter the table behind a transaction.

    Args:
        alter: Makes the change.
        dsn: Of a database of its own.
        hold: Seconds that the transaction stays open.
    """
    with (
        psycopg.connect(dsn) as holder,
        psycopg.connect(dsn, autocommit=True) as reader,
    ):
        reader.execute("CREATE TABLE accounts (id int)")
        holder.execute("SELECT FROM accounts")
        over = threading.Event()
        reads: list[float] = []

        def read() -> None:
            while not over.is_set():
                started = time.perf_counter()
                reader.execute("SELECT FROM accounts")
                reads.append(time.perf_counter() - started)
                time.sleep(0.002)

        reading = threading.Thread(target=read)
        reading.start()
        release = threading.Timer(hold, holder.rollback)
        release.start()
        started = time.perf_counter()
        alter(dsn)
        done = time.perf_counter() - started
        over.set()
        reading.join()
        release.join()
    return Stall(max(reads), len(reads), done)


def behind_a_transaction(dsn: str, hold: float = 4.0, rounds: int = 5) -> Document:
    """Compare a migration with a plain ALTER TABLE.

    Args:
        dsn: Of a server on which databases may be created.
        hold: Seconds that the transaction stays open.
        rounds: How often each is measured.
    """
    rows: list[tuple[str, ...]] = []
    with tempfile.TemporaryDirectory(prefix="confiture-bench-") as name:
        (Path(name) / "0001_note.up.sql").write_text(ALTER)
        candidates: dict[str, Callable[[str], None]] = {
            "migrate --plain": lambda database: run_engine(database, Path(name)),
            "ALTER TABLE without lock_timeout": _alter,
        }
        for label, alter in candidates.items():
            found: list[Stall] = []
            for _ in range(rounds):
                with new_database(dsn) as database:
                    found.append(measure(alter, database, hold))
            longest = [each.longest for each in found]
            rows.append(
                (
                    label,
                    f"{min(longest):.3f}",
                    f"{sorted(longest)[rounds // 2]:.3f}",
                    f"{max(longest):.3f}",
                    f"{max(each.done for each in found):.2f}",
                )
            )
    columns = ("", "longest read: min", "median", "max", "done after, at most")
    return Document(f"Behind a transaction of {hold:g} s, seconds", (Table(columns, tuple(rows)),))


def _alter(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(ALTER)


def main() -> None:
    """Measure and print."""
    with durable_server() as dsn:
        print(render_markdown(behind_a_transaction(dsn)), flush=True)


if __name__ == "__main__":
    main()
