"""What a dry run costs and how good its estimates are: `python -m tests.benchmarks.dry_runs`.

A report, never a test. Each case is dry-run against a table of a durable server, and then really
applied there; an estimate is right when what it took lies within a factor of two of the middle of
its range. `dryrun/estimate.py` was calibrated with `--rows 50000 200000 800000`; other sizes
say how good they are.
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from confiture_flows.config import DEFAULT_LIMITS
from confiture_flows.dryrun.dry_run import dry_run
from confiture_flows.dryrun.rehearsal import rehearse
from confiture_flows.migrations.apply import apply_plan
from confiture_flows.migrations.discovery import discover
from confiture_flows.migrations.plan import plan_forward
from confiture_flows.postgres.provide import provide_server
from confiture_flows.report.document import Document, Facts, Table
from confiture_flows.report.markdown import render_markdown
from confiture_flows.target import Target, connect
from tests.benchmarks.servers import durable_server, new_database

if TYPE_CHECKING:
    from collections.abc import Sequence

CASES = {
    "type of a column (text to int)": "ALTER TABLE big ALTER code TYPE int USING code::int;",
    "type of a column (int to bigint)": "ALTER TABLE big ALTER n TYPE bigint;",
    "column with a volatile default": "ALTER TABLE big ADD mark float8 DEFAULT random();",
    "index on a number": "CREATE INDEX big_n ON big (n);",
    "index on a text": "CREATE INDEX big_mail ON big (mail);",
    "index, concurrently": "CREATE INDEX CONCURRENTLY big_m ON big (n, id);",
    "unique constraint": "ALTER TABLE big ADD UNIQUE (mail);",
    "not null": "ALTER TABLE big ALTER n SET NOT NULL;",
    "check": "ALTER TABLE big ADD CHECK (n >= 0 AND length(mail) > 3);",
    "foreign key": "ALTER TABLE big ADD FOREIGN KEY (parent) REFERENCES parents (id);",
    "update of all rows": "UPDATE big SET n = n + 1;",
    "update of a tenth": "UPDATE big SET mail = upper(mail) WHERE n % 10 = 0;",
}
_TABLES = """
CREATE TABLE parents (id int PRIMARY KEY, name text);
INSERT INTO parents SELECT g, 'p' || g FROM generate_series(1, {parents}) AS g;
CREATE TABLE big (id bigint PRIMARY KEY, n int, code text, mail text, parent int, body text);
INSERT INTO big SELECT g, (g::bigint * 7919) % 100000, (g % 5000)::text,
    'u' || g || '@shop.example', 1 + (g::bigint * 31) % {parents}, repeat('x', 40 + g % 60)
FROM generate_series(1, {rows}) AS g;
VACUUM ANALYZE big; VACUUM ANALYZE parents
"""


@dataclass(frozen=True, slots=True)
class Guess:
    """What was estimated for a case, and what it took.

    Attributes:
        middle: Seconds; None where the dry run said "unknown".
        took: Seconds.
    """

    case: str
    rows: int
    middle: float | None
    took: float

    @property
    def factor(self) -> float | None:
        """How many times longer it took than was estimated."""
        return self.took / self.middle if self.middle else None


def guess(dsn: str, rows: int, case: str, sample: int | None = None) -> Guess:
    """Dry-run a case on a database of its own, and apply it."""
    with (
        new_database(dsn) as database,
        tempfile.TemporaryDirectory(prefix="confiture-bench-") as folder,
    ):
        with psycopg.connect(database, autocommit=True) as conn:
            text = _TABLES.format(rows=rows, parents=max(rows // 10, 1))
            for statement in text.split(";"):
                conn.execute(statement.encode())
        (Path(folder) / "0001_case.up.sql").write_text(CASES[case])
        target = Target("bench", database)
        plan = plan_forward(discover(Path(folder)).migrations, ())
        with connect(target, "bench") as conn:
            report = dry_run(conn, plan, target=target, rows=sample, prove=False)
            # By the server's clock, without the run's own tables; whole milliseconds.
            (row,) = apply_plan(conn, plan, limits=DEFAULT_LIMITS)
            took = max(row.execution_time_ms or 0, 1) / 1000
        ((statement,),) = (migration.statements for migration in report.migrations)
        found = statement.estimate
        middle = math.sqrt(found.low * found.high) if found and found.low and found.high else None
        return Guess(case, rows, middle, took)


def estimates(dsn: str, sizes: Sequence[int], sample: int | None = None) -> Document:
    """Every case on every size."""
    found = [guess(dsn, rows, case, sample) for case in CASES for rows in sizes]
    factors = [each.factor for each in found]
    known = [factor for factor in factors if factor is not None]
    good = sum(1 for factor in known if 0.5 <= factor <= 2)
    rows = tuple(
        (
            each.case,
            f"{each.rows:,}",
            "unknown" if each.middle is None else f"{each.middle * 1000:.0f} ms",
            f"{each.took * 1000:.0f} ms",
            "" if each.factor is None else f"{each.factor:.2f}",
        )
        for each in found
    )
    error = f"{statistics.median(known):.2f}" if known else "none"
    return Document(
        "Estimates beside what it took",
        (
            Table(("case", "rows", "estimated", "took", "took / estimated"), rows),
            Facts(
                (
                    ("within a factor of 2", f"{good} of {len(found)}"),
                    ("unknown", str(len(found) - len(known))),
                    ("median of took / estimated", error),
                )
            ),
        ),
    )


@dataclass(frozen=True, slots=True)
class Costs:
    """What dry runs of a directory took.

    Attributes:
        migrations: How many there are.
        locks: On tables, that others could meet.
        seconds: Of every round, by what was done.
    """

    migrations: int
    locks: int
    seconds: dict[str, list[float]]

    @property
    def medians(self) -> dict[str, float]:
        """By what was done."""
        return {name: statistics.median(each) for name, each in self.seconds.items()}

    def document(self, title: str) -> Document:
        """As a table."""
        rows = tuple(
            (name, f"{median:.2f}", f"{median / self.medians['plain']:.1f}")
            for name, median in self.medians.items()
        )
        return Document(
            f"{title}: {self.migrations} migrations, {self.locks} locks on tables",
            (Table(("", "seconds", "times a plain apply"), rows),),
        )


def costs(folder: Path, rounds: int, *, layout: str | None = None, **said: Any) -> Costs:
    """A plain apply of a directory beside its rehearsals, all in this process.

    Each round has a database of its own, in one scratch server, which is started before. One round
    more warms caches, and does not count.
    """
    plan = plan_forward(discover(folder, layout=layout, **said).migrations, ())
    for step in plan.steps:
        step.script.batches()
    took: dict[str, list[float]] = {"plain": [], "impact": [], "with proof": []}
    locks = 0
    settings = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    with provide_server(settings=settings) as server:
        for _ in range(rounds + 1):
            for name, seconds in took.items():
                with new_database(server.dsn) as dsn, connect(Target("bench", dsn), "b") as conn:
                    started = time.perf_counter()
                    if name == "plain":
                        apply_plan(conn, plan, limits=DEFAULT_LIMITS)
                    else:
                        found = rehearse(
                            conn,
                            plan,
                            ledger="tb_confiture",
                            limits=DEFAULT_LIMITS,
                            private=True,
                            prove=name != "impact",
                        )
                        locks = sum(len(each.table_locks) for each in found.migrations)
                    seconds.append(time.perf_counter() - started)
    counted = {name: each[1:] for name, each in took.items()}
    return Costs(len(plan.steps), locks, counted)


def main() -> None:
    """Measure, and print tables in Markdown."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.dry_runs", description=__doc__
    )
    parser.add_argument("--rows", type=int, nargs="*", default=[120_000, 1_200_000], metavar="N")
    parser.add_argument("--sample", type=int, metavar="N", help="rows to rehearse with at most")
    parser.add_argument("--cost", type=Path, nargs="*", default=[], metavar="DIR")
    parser.add_argument("--as-written", action="store_true")
    parser.add_argument("--layout")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    for folder in options.cost:
        found = costs(folder, options.rounds, layout=options.layout, as_written=options.as_written)
        print(render_markdown(found.document(folder.parent.name)))
    if options.rows:
        with durable_server() as dsn:
            print(render_markdown(estimates(dsn, options.rows, options.sample)))


if __name__ == "__main__":
    main()
